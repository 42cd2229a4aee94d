import { canonicalJson, type Json, type JsonObject } from '../../kernel/std/index.ts'

/** One place in which two values differ; null: it is not there. */
export interface Difference {
  /** `routes.POST /login.limit`; empty: the whole value. */
  readonly path: string
  readonly before: string | null
  readonly after: string | null
}

const longestText = 200
/** Of what comes or goes whole. */
const longestWhole = 4000
/** What may hold a secret: that it is another one is said, and not what it is. */
const hidden = /(^|\.)((env|variables)\.[^.]+|url)$/

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function conceal(value: Json, path: string): Json {
  if (hidden.test(path)) return '(hidden)'
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, conceal(each, within(path, key))]),
  )
}

/** Without lists and objects that have nothing in them, of which a file that is filled in is full. */
function withoutEmpty(value: Json): Json {
  if (!isObject(value)) return value
  const filled = Object.entries(value).map(([key, each]) => [key, withoutEmpty(each)] as const)
  return Object.fromEntries(filled.filter(([, each]) => !isEmpty(each)))
}

const isEmpty = (value: Json): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0

function textOf(value: Json, path: string): string {
  const isWhole = path === ''
  const shown = conceal(isWhole ? withoutEmpty(value) : value, path)
  const text = typeof shown === 'string' ? shown : canonicalJson(shown)
  const longest = isWhole ? longestWhole : longestText
  return text.length > longest ? `${text.slice(0, longest)}...` : text
}

function leaf(path: string, before: Json | undefined, after: Json | undefined): Difference {
  return {
    path,
    before: before === undefined ? null : textOf(before, path),
    after: after === undefined ? null : textOf(after, path),
  }
}

const within = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`)

/** Where two values differ, down to what is no object; lists are compared whole. */
export function differencesOf(
  before: Json | undefined,
  after: Json | undefined,
  path = '',
): readonly Difference[] {
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted()
    return keys.flatMap((key) => differencesOf(before[key], after[key], within(path, key)))
  }
  if (before !== undefined && after !== undefined && canonicalJson(before) === canonicalJson(after)) return []
  return before === undefined && after === undefined ? [] : [leaf(path, before, after)]
}
