import { closest } from '../../../../kernel/std/index.ts'

/** What the edge counts by, without a name of its own. */
export const plainDimensions = ['ip', 'prefix', 'route', 'host', 'method', 'user', 'key', 'client'] as const

/** What it counts by with a name, written `header x-tenant` and held as `header:x-tenant`. */
export const namedDimensions = ['header', 'cookie'] as const

const fieldName = /^[a-z0-9!#$%&'*+.^`|~-]{1,100}$/i

/** A dimension as a person writes it: `ip`, `header x-tenant`. */
export function sayDimension(dimension: string): string {
  return dimension.replace(':', ' ')
}

/** Why the edge cannot count by something, and how to mend it; undefined: it can. */
export function faultOfDimension(
  dimension: string,
): { readonly message: string; readonly hint: string } | undefined {
  const plain: readonly string[] = plainDimensions
  if (plain.includes(dimension)) return undefined
  const [kind = '', name] = dimension.split(':', 2)
  const isNamed = (namedDimensions as readonly string[]).includes(kind)
  if (isNamed && name !== undefined && fieldName.test(name)) return undefined
  const said = sayDimension(dimension)
  if (isNamed) {
    return { message: `"per ${said}" names no ${kind}`, hint: `write it as "per ${kind} x-tenant"` }
  }
  const meant = closest(kind, [...plain, ...namedDimensions])
  const all = [...plain, ...namedDimensions.map((named) => `${named} NAME`)]
  return {
    message: `the edge cannot count per ${said}`,
    hint:
      meant === undefined ? `count per ${all.join(', per ')}, or for everybody` : `did you mean "${meant}"?`,
  }
}
