import type { Json } from '../../kernel/std/index.ts'
import type { Flag, FlagKind } from './flag.ts'
import { parseMoment } from './moment.ts'
import { usageError } from './usage.ts'

function wrong(flag: Flag, text: string, wanted: string): Error {
  return usageError(`--${flag.name}: "${text}" is not ${wanted}`, { path: flag.field })
}

function readNumber(flag: Flag, text: string): number {
  const value = Number(text)
  const fits = text.trim() !== '' && Number.isFinite(value)
  if (!fits) throw wrong(flag, text, 'a number')
  if (flag.kind === 'integer' && !Number.isInteger(value)) throw wrong(flag, text, 'a whole number')
  return value
}

function readMoment(flag: Flag, text: string, nowMs: number): number {
  const value = parseMoment(text, nowMs)
  if (value === undefined) throw wrong(flag, text, 'a time: write 1h (ago), today, or 2026-03-01T12:00')
  return value
}

function readChoice(flag: Flag, text: string): string {
  if (flag.choices?.includes(text) === true) return text
  throw wrong(flag, text, `one of ${(flag.choices ?? []).join(', ')}`)
}

function readBoolean(flag: Flag, text: string): boolean {
  if (text === 'true' || text === 'yes') return true
  if (text === 'false' || text === 'no') return false
  throw wrong(flag, text, 'true or false')
}

function readJson(flag: Flag, text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    throw wrong(flag, text, 'JSON')
  }
}

function readMap(flag: Flag, texts: readonly string[]): Json {
  const pairs = texts.map((text) => {
    const at = text.indexOf('=')
    if (at < 1) throw wrong(flag, text, 'of the form key=value')
    return [text.slice(0, at), text.slice(at + 1)] as const
  })
  return Object.fromEntries(pairs)
}

type Reader = (flag: Flag, texts: readonly string[], nowMs: number) => Json

const last = (texts: readonly string[]): string => texts.at(-1) ?? ''

const readers: Readonly<Record<FlagKind, Reader>> = {
  text: (_, texts) => last(texts),
  number: (flag, texts) => readNumber(flag, last(texts)),
  integer: (flag, texts) => readNumber(flag, last(texts)),
  moment: (flag, texts, nowMs) => readMoment(flag, last(texts), nowMs),
  choice: (flag, texts) => readChoice(flag, last(texts)),
  boolean: (flag, texts) => readBoolean(flag, last(texts)),
  json: (flag, texts) => readJson(flag, last(texts)),
  map: readMap,
  list: (_, texts) => [...texts],
}

/** Turns what was written for a flag (several texts when it was repeated) into its value. Errors: `cli.usage`. */
export function coerce(flag: Flag, texts: readonly string[], nowMs: number): Json {
  return readers[flag.kind](flag, texts, nowMs)
}
