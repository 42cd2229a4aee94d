import type { JsonObject } from '../../kernel/std/index.ts'

/** A member of a fact's data that is a text; empty when there is none. */
export function textOf(data: JsonObject | null, key: string): string {
  const value = data?.[key]
  return typeof value === 'string' ? value : ''
}
