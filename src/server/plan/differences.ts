import { canonicalJson, type Json, type JsonObject } from '../../kernel/std/index.ts'

/** One place in which two values differ; null: it is not there. */
export interface Difference {
  /** `routes.POST /login.limit`; empty: the whole value. */
  readonly path: string
  readonly before: string | null
  readonly after: string | null
}

const longestText = 200
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

function textOf(value: Json, path: string): string {
  const shown = conceal(value, path)
  const text = typeof shown === 'string' ? shown : canonicalJson(shown)
  return text.length > longestText ? `${text.slice(0, longestText)}...` : text
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
