import type { Json, JsonObject } from '../../kernel/std/index.ts'
import { kebab, type Flag, type FlagKind } from './flag.ts'

/** Letters that mean the same everywhere. */
const letters: Readonly<Record<string, string>> = { follow: 'f', lines: 'n', limit: 'n' }

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textsOf(value: Json | undefined): readonly string[] | undefined {
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined
}

function isMoment(node: JsonObject): boolean {
  const { description } = node
  return typeof description === 'string' && description.startsWith('milliseconds since 1970')
}

function typeOf(node: JsonObject): string {
  return typeof node['type'] === 'string' ? node['type'] : ''
}

function isFlat(node: Json | undefined): boolean {
  return isObject(node) && ['string', 'number', 'integer', 'boolean'].includes(typeOf(node))
}

const kinds: Readonly<Record<string, (node: JsonObject) => FlagKind>> = {
  boolean: () => 'boolean',
  integer: () => 'integer',
  number: () => 'number',
  string: () => 'text',
  array: (node) => (isFlat(node['items']) ? 'list' : 'json'),
  object: (node) => (isFlat(node['additionalProperties']) ? 'map' : 'json'),
}

function kindOf(node: JsonObject): FlagKind {
  if (isMoment(node)) return 'moment'
  if (textsOf(node['enum']) !== undefined) return 'choice'
  return kinds[typeOf(node)]?.(node) ?? 'json'
}

function meaningOf(node: JsonObject): string {
  if (isMoment(node)) return 'as 1h (ago), 14:03 (today), today, or 2026-03-01T12:00'
  return typeof node['description'] === 'string' ? node['description'] : ''
}

/**
 * The flags of a command, from the JSON Schema of its input: one for each field. A field that is nested deeper than
 * a list or a map of plain values takes JSON.
 */
export function flagsFromSchema(schema: JsonObject): readonly Flag[] {
  const properties = isObject(schema['properties']) ? schema['properties'] : {}
  const required = textsOf(schema['required']) ?? []
  return Object.entries(properties).flatMap(([field, node]) => {
    if (!isObject(node)) return []
    return [
      {
        name: kebab(field),
        field,
        kind: kindOf(node),
        short: letters[field],
        choices: textsOf(node['enum']),
        required: required.includes(field),
        fallback: node['default'],
        means: meaningOf(node),
      },
    ]
  })
}
