import { keyText, type Ask } from '../book.ts'

const mostDimensions = 8

/** The text of a subject of a limit: different ones never have the same. */
export function subjectText({ entry, by }: Ask): string {
  return `${entry.name}\n${keyText({ per: entry.dimensions }, by)}`
}

/** A take as `contracts/limits.ts` has it, without an id. */
export interface WireAsk {
  readonly limit: string
  readonly by: Readonly<Record<string, string>>
  readonly cost: number
}

/** Writes one. */
export function wireAsk(ask: Ask): WireAsk {
  return { limit: ask.entry.name, by: wireBy(ask), cost: ask.cost }
}

/** The subject as `contracts/limits.ts` wants it: texts, and not more than it takes. */
export function wireBy({ entry, by }: Ask): Readonly<Record<string, string>> {
  const names = Object.keys(by)
  const sent = names.length <= mostDimensions ? names : entry.dimensions
  return Object.fromEntries(sent.map((name) => [name, String(by[name])]))
}
