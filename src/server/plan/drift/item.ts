import type { Drift } from '../../../contracts/environment.ts'
import type { Difference } from '../differences.ts'

/** One thing that differs. */
export type DriftItem = Drift['items'][number]

/** What a look found, or why it found nothing. */
export type Seen<Value> = { readonly value: Value } | { readonly trouble: string }

const mostNamed = 5

/** The first few of a list, and how many more there are. */
export function sayFew(words: readonly string[], separator = ', '): string {
  const rest = words.length - mostNamed
  return `${words.slice(0, mostNamed).join(separator)}${rest > 0 ? `${separator}and ${rest} more` : ''}`
}

/** Where something is not what it should be, `before` being what it should. */
export function sayDifferences(differences: readonly Difference[]): string {
  const say = ({ path, before, after }: Difference): string =>
    `${path === '' ? '' : `${path} is `}${after ?? 'not there'}${before === null ? '' : `, not ${before}`}`
  return sayFew(differences.map(say), '; ')
}
