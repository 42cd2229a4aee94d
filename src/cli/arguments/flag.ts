import type { Json } from '../../kernel/std/index.ts'

/** How the text of a flag becomes a value. */
export type FlagKind =
  'text' | 'number' | 'integer' | 'boolean' | 'choice' | 'moment' | 'list' | 'map' | 'json'

/** One flag of a command, or one argument by position. */
export interface Flag {
  /** Kebab-case, without dashes. */
  readonly name: string
  /** The field of the input that it fills. */
  readonly field: string
  readonly kind: FlagKind
  /** One letter, as `f` for `-f`. */
  readonly short?: string | undefined
  readonly choices?: readonly string[] | undefined
  readonly required?: boolean | undefined
  /** Said in the help; filled in by whoever reads the input. */
  readonly fallback?: Json | undefined
  /** Half a sentence for the help. */
  readonly means: string
}

/** `maxPoints` as `max-points`. */
export function kebab(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** What stands for the value of a flag in the help; empty for a switch. */
export function placeholder(flag: Flag): string {
  if (flag.kind === 'boolean') return ''
  if (flag.kind === 'choice') return (flag.choices ?? []).join('|')
  const words: Readonly<Record<string, string>> = {
    number: 'N',
    integer: 'N',
    moment: 'TIME',
    map: 'KEY=VALUE',
    json: 'JSON',
  }
  return words[flag.kind] ?? 'TEXT'
}
