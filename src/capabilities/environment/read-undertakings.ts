import type { Fact, Timeline } from '../../kernel/timeline/index.ts'

/** Which undertakings: what they begin with, what they end with, and what both say alike. */
export interface Undertakings {
  /** Kind of the fact that begins one. */
  readonly begun: string
  /** Kinds of those that end one. */
  readonly ends: readonly string[]
  readonly subject: string | undefined
  /** The same for the beginning and the end of one. */
  readonly keyOf: (fact: Fact) => string
  /** How many, newest first. */
  readonly most: number
  /** So many facts are read for them at most. */
  readonly limit: number
}

/** The last undertakings, newest first: how each began, and how it ended if it has. Erased facts are passed over. */
export async function readUndertakings(
  timeline: Pick<Timeline, 'read'>,
  { begun, ends, subject, keyOf, most, limit }: Undertakings,
): Promise<readonly { readonly begun: Fact; readonly end: Fact | undefined }[]> {
  const kinds = [begun, ...ends]
  const about = subject === undefined ? {} : { subject }
  const found = await timeline.read({ kinds, ...about, order: 'newest', limit })
  const readable = found.filter(({ data }) => data !== null)
  const endOf = new Map(readable.filter(({ kind }) => ends.includes(kind)).map((fact) => [keyOf(fact), fact]))
  return readable
    .filter(({ kind }) => kind === begun)
    .slice(0, most)
    .map((fact) => ({ begun: fact, end: endOf.get(keyOf(fact)) }))
}
