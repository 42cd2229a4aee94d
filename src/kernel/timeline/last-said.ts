import type { FactDeclaration } from '../std/index.ts'
import type { Fact, Timeline } from './port.ts'

/** A fact whose payload was not erased. */
export type ReadableFact = Fact & { readonly data: NonNullable<Fact['data']> }

/** Whose facts: those of an undertaking, all or about one subject. */
export interface SaidBy {
  readonly correlation: string
  readonly subject?: string
}

/**
 * The newest fact of these kinds that an undertaking has said; null: none yet. Who is begun again after a kill learns so
 * what it has said before, and does not say it twice.
 */
export async function lastSaid(
  timeline: Pick<Timeline, 'read'>,
  by: SaidBy,
  declarations: readonly FactDeclaration[],
): Promise<ReadableFact | null> {
  const kinds = declarations.map(({ kind }) => kind)
  const [fact] = await timeline.read({ kinds, ...by, order: 'newest', limit: 1 })
  return fact === undefined || fact.data === null ? null : { ...fact, data: fact.data }
}
