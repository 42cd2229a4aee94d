import { factCatalogue } from '../../../contracts/index.ts'
import type { Context, OperationBinding } from '../../../kernel/capability/index.ts'
import type { OperationDeclaration } from '../../../kernel/std/index.ts'
import type { Access, People } from '../access/index.ts'
import type { Jobs } from '../jobs/index.ts'
import { bindAccess } from './access.ts'
import { bindJobs } from './jobs.ts'
import { bindOperationsList } from './operations.ts'
import { bindPeople } from './people.ts'
import { createSays } from './says.ts'
import { bindSeries } from './series.ts'
import { bindTimeline } from './timeline.ts'

/** What the house's own operations stand on. */
export interface OwnGround {
  readonly context: Context
  readonly access: Access
  readonly jobs: Jobs
  /** Read at every call. */
  readonly people: () => People
  /** Every operation that is bound, those of capabilities included. */
  readonly operations: () => readonly OperationDeclaration[]
}

/** Binds every operation that is no capability's. */
export function bindOwn({
  context,
  access,
  jobs,
  people,
  operations,
}: OwnGround): readonly OperationBinding[] {
  const declared = (name: string): OperationDeclaration | undefined =>
    operations().find((operation) => operation.name === name)
  return [
    ...bindTimeline(context, createSays(factCatalogue)),
    ...bindSeries(context),
    ...bindJobs(jobs, declared),
    ...bindAccess(access),
    ...bindPeople(people),
    bindOperationsList(operations),
  ]
}
