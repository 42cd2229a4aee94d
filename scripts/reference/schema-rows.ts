import type { Json, JsonObject } from '../../src/kernel/std/index.ts'

/** One key of a JSON Schema, flattened: `services.<name>.port`. */
export interface SchemaRow {
  readonly path: string
  readonly type: string
  readonly fallback: string
  readonly means: string
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function listOf(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((item: Json) => isObject(item)) : []
}

function alternativesOf(node: JsonObject): readonly JsonObject[] {
  const found = [...listOf(node['anyOf']), ...listOf(node['oneOf'])]
  return found.length === 0 ? [node] : found.flatMap(alternativesOf)
}

function sayPlainType(node: JsonObject): string {
  const { enum: choices, const: only, type, items } = node
  if (Array.isArray(choices)) return choices.map((choice: Json) => JSON.stringify(choice)).join(' or ')
  if (only !== undefined) return JSON.stringify(only)
  if (type === 'array') return `list of ${isObject(items) ? sayType(items) : 'anything'}`
  if (Array.isArray(type)) return type.filter((each: Json) => typeof each === 'string').join(' or ')
  return typeof type === 'string' ? type : 'anything'
}

/** The type of a node in words, as `text or list of text`. */
export function sayType(node: JsonObject): string {
  const words = alternativesOf(node).map((each) => sayPlainType(each).replaceAll('string', 'text'))
  return [...new Set(words)].join(' or ')
}

function describe(node: JsonObject): string {
  if (typeof node['description'] === 'string') return node['description']
  const inner = alternativesOf(node).find((each) => each !== node && typeof each['description'] === 'string')
  return typeof inner?.['description'] === 'string' ? inner['description'] : ''
}

function childrenOf(node: JsonObject, path: string): readonly (readonly [string, JsonObject, boolean])[] {
  return alternativesOf(node).flatMap((each) => {
    const required = Array.isArray(each['required']) ? (each['required'] as readonly Json[]) : []
    const named = Object.entries(isObject(each['properties']) ? each['properties'] : {}).flatMap(
      ([key, child]) =>
        isObject(child)
          ? [[path === '' ? key : `${path}.${key}`, child, required.includes(key)] as const]
          : [],
    )
    const { additionalProperties: any, items } = each
    const open = isObject(any) ? [[`${path}.<name>`, any, false] as const] : []
    const listed = isObject(items) ? childrenOf(items, `${path}[]`) : []
    return [...named, ...open, ...listed]
  })
}

function sayFallback(node: JsonObject, required: boolean): string {
  if (required) return 'required'
  const { default: fallback } = node
  return fallback === undefined || isObject(fallback) ? '' : JSON.stringify(fallback)
}

/** Every key below a node, in order, with its type, default and meaning. */
export function schemaRows(node: JsonObject, path = ''): readonly SchemaRow[] {
  return childrenOf(node, path).flatMap(([childPath, child, required]) => {
    const open = childPath.endsWith('.<name>')
    const row = {
      path: childPath,
      type: sayType(child),
      fallback: sayFallback(child, required),
      means: describe(child),
    }
    return [...(open && row.means === '' ? [] : [row]), ...schemaRows(child, childPath)]
  })
}
