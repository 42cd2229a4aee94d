import type { Json, JsonObject } from '../../kernel/std/index.ts'
import type { Paper } from './paper.ts'
import { table } from './table.ts'
import { columnsOf, harmless, pad } from './text.ts'
import { sayAgo, sayMoment } from './times.ts'

const maxDepth = 6

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isObjects(value: Json): value is readonly JsonObject[] {
  return Array.isArray(value) && value.length > 0 && value.every((item: Json) => isObject(item))
}

/** `expiresAt` as `expires at`. */
function label(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}

function isMoment(field: string, value: Json): value is number {
  return /(^at|At|^from|^to)$/.test(field) && typeof value === 'number' && value > 1e11
}

/** One value on one line. */
function inline(field: string, value: Json, paper: Paper): string {
  if (value === null) return '–'
  if (isMoment(field, value)) return `${sayMoment(value, paper.nowMs)} (${sayAgo(value, paper.nowMs)})`
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'string') return harmless(value)
  if (Array.isArray(value) && value.every((item: Json) => !isObject(item) && !Array.isArray(item))) {
    return value.length === 0 ? 'none' : value.map((item: Json) => inline(field, item, paper)).join(', ')
  }
  return harmless(isObject(value) ? pairsOf(value) : JSON.stringify(value))
}

/** An object of plain texts as `key=value`, any other as JSON. */
function pairsOf(value: JsonObject): string {
  const pairs = Object.entries(value).map(([key, item]) =>
    typeof item === 'string' ? `${key}=${item}` : null,
  )
  return pairs.includes(null) ? JSON.stringify(value) : pairs.join(' ')
}

function objectsTable(rows: readonly JsonObject[], paper: Paper): readonly string[] {
  const fields = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const numeric = (field: string): boolean => rows.every((row) => typeof row[field] === 'number')
  return table(
    fields.map((field) => ({
      title: label(field).toUpperCase(),
      align: numeric(field) && !/At$|^at$/.test(field) ? ('right' as const) : undefined,
    })),
    rows.map((row) => fields.map((field) => inline(field, row[field] ?? null, paper))),
    paper,
  )
}

function objectLines(value: JsonObject, paper: Paper, depth: number): readonly string[] {
  const plain = Object.entries(value).filter(([, item]) => !isObjects(item) && !isObject(item))
  const deep = Object.entries(value).filter(([, item]) => isObjects(item) || isObject(item))
  const width = Math.max(0, ...plain.map(([field]) => columnsOf(label(field))))
  const first = plain.map(
    ([field, item]) => `${paper.paint('dim', pad(label(field), width))}  ${inline(field, item, paper)}`,
  )
  const rest = deep.flatMap(([field, item]) => [
    '',
    paper.paint('strong', label(field)),
    ...genericLines(item, paper, depth + 1).map((line) => `  ${line}`),
  ])
  return [...first, ...(first.length === 0 ? rest.slice(1) : rest)]
}

/** Any value as lines: an object field by field, a list of objects as a table. */
export function genericLines(value: Json, paper: Paper, depth = 0): readonly string[] {
  if (depth > maxDepth) return [harmless(JSON.stringify(value))]
  if (isObjects(value)) return objectsTable(value, paper)
  if (!isObject(value)) return [inline('', value, paper)]
  const entries = Object.entries(value)
  const [only] = entries
  if (entries.length === 0) return ['done']
  if (entries.length === 1 && only !== undefined && Array.isArray(only[1])) {
    const [field, items] = only
    return items.length === 0 ? [`no ${label(field)}`] : genericLines(items, paper, depth + 1)
  }
  return objectLines(value, paper, depth)
}
