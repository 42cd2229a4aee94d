import { closest, type Json } from '../../kernel/std/index.ts'
import { coerce } from './coerce.ts'
import { placeholder, type Flag } from './flag.ts'
import { usageError } from './usage.ts'

/** Values by field. */
export type Values = Readonly<Record<string, Json>>

/** What a command line may hold. */
export interface Grammar {
  /** The words of the command, for messages. */
  readonly command: string
  readonly flags: readonly Flag[]
  /** Fields that are given by position, in order. */
  readonly positional: readonly string[]
  /** Any number of further arguments, as `key=value` for `call`; else they are an error. */
  readonly rest?: boolean | undefined
}

/** A command line, read. */
export interface Parsed {
  readonly values: Values
  readonly rest: readonly string[]
}

/** One flag as found, with the text that belongs to it. */
interface Found {
  readonly flag: Flag
  readonly text: string
  /** How many arguments it took up. */
  readonly took: number
}

function unknownFlag(argument: string, { command, flags }: Grammar): Error {
  const name = argument.replace(/^-+/, '').replace(/=.*$/s, '')
  const meant = closest(
    name,
    flags.map((flag) => flag.name),
  )
  const hint = meant === undefined ? `see "holdfast help ${command}"` : `did you mean --${meant}?`
  return usageError(`unknown flag ${argument.replace(/=.*$/s, '')}`, { hint })
}

function findFlag(argument: string, flags: readonly Flag[]): { flag: Flag; negated: boolean } | undefined {
  const name = argument.replace(/=.*$/s, '')
  const direct = flags.find((flag) => name === `--${flag.name}` || name === `-${flag.short ?? '-'}`)
  if (direct !== undefined) return { flag: direct, negated: false }
  const negated = flags.find((flag) => flag.kind === 'boolean' && name === `--no-${flag.name}`)
  return negated === undefined ? undefined : { flag: negated, negated: true }
}

function readFlag(argument: string, next: string | undefined, flags: readonly Flag[]): Found | undefined {
  const found = findFlag(argument, flags)
  if (found === undefined) return undefined
  const { flag, negated } = found
  const equals = argument.indexOf('=')
  if (equals >= 0) return { flag, text: argument.slice(equals + 1), took: 1 }
  if (flag.kind === 'boolean') return { flag, text: negated ? 'false' : 'true', took: 1 }
  const missing = next === undefined || (next.startsWith('--') && next.length > 2)
  if (missing) throw usageError(`--${flag.name} needs a value: --${flag.name} ${placeholder(flag)}`)
  return { flag, text: next, took: 2 }
}

/** Flags and the arguments that are none, in order; `--` ends the flags. */
interface Split {
  readonly texts: ReadonlyMap<Flag, readonly string[]>
  readonly others: readonly string[]
}

function split(
  argv: readonly string[],
  flags: readonly Flag[],
  onStranger: (argument: string) => void,
): Split {
  const end = argv.indexOf('--')
  const mixed = end < 0 ? argv : argv.slice(0, end)
  const texts = new Map<Flag, string[]>()
  const others: string[] = []
  for (let index = 0; index < mixed.length; index++) {
    const argument = mixed[index] ?? ''
    const isFlag = argument.startsWith('-') && argument.length > 1
    const found = isFlag ? readFlag(argument, mixed[index + 1], flags) : undefined
    if (found !== undefined) {
      texts.set(found.flag, [...(texts.get(found.flag) ?? []), found.text])
      index += found.took - 1
      continue
    }
    if (isFlag) onStranger(argument)
    others.push(argument)
  }
  return { texts, others: end < 0 ? others : [...others, ...argv.slice(end)] }
}

function valuesOf(texts: Split['texts'], nowMs: number): Values {
  return Object.fromEntries([...texts].map(([flag, given]) => [flag.field, coerce(flag, given, nowMs)]))
}

/** Takes the flags that every command knows out of a command line, wherever they stand. Errors: `cli.usage`. */
export function takeFlags(argv: readonly string[], flags: readonly Flag[], nowMs: number): Parsed {
  const { texts, others } = split(argv, flags, () => {})
  return { values: valuesOf(texts, nowMs), rest: others }
}

function positionalValues(given: readonly string[], grammar: Grammar, nowMs: number): Values {
  const pairs = grammar.positional.slice(0, given.length).flatMap((field, index) => {
    const flag = grammar.flags.find((each) => each.field === field)
    return flag === undefined ? [] : [[field, coerce(flag, [given[index] ?? ''], nowMs)] as const]
  })
  return Object.fromEntries(pairs)
}

function refuseMissing(grammar: Grammar, values: Values): void {
  const missing = grammar.flags.find((flag) => flag.required === true && !(flag.field in values))
  if (missing === undefined) return
  const shown = grammar.positional.includes(missing.field) ? `<${missing.name}>` : `--${missing.name}`
  throw usageError(`"holdfast ${grammar.command}" needs ${shown}`, {
    hint: `see "holdfast help ${grammar.command}"`,
    path: missing.field,
  })
}

/** Reads the arguments of one command. Errors: `cli.usage`. */
export function parseArguments(argv: readonly string[], grammar: Grammar, nowMs: number): Parsed {
  const { texts, others } = split(argv, grammar.flags, (argument) => {
    throw unknownFlag(argument, grammar)
  })
  const plain = others.filter((argument, index) => argument !== '--' || others.indexOf('--') !== index)
  const rest = plain.slice(grammar.positional.length)
  if (rest.length > 0 && grammar.rest !== true) {
    throw usageError(`"holdfast ${grammar.command}" takes no argument "${rest[0]}"`, {
      hint: `see "holdfast help ${grammar.command}"`,
    })
  }
  const values = { ...positionalValues(plain, grammar, nowMs), ...valuesOf(texts, nowMs) }
  refuseMissing(grammar, values)
  return { values, rest }
}
