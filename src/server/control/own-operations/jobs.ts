import { jobOperations } from '../../../contracts/index.ts'
import type { OperationBinding } from '../../../kernel/capability/index.ts'
import type { OperationDeclaration } from '../../../kernel/std/index.ts'
import type { Jobs } from '../jobs/index.ts'
import { authorise, type HouseCall } from '../stages/index.ts'
import { bindHouse } from './bind.ts'

/** Whoever may not call an operation may not stop its jobs either. */
function refuseStronger(
  call: HouseCall,
  operation: string,
  declared: (name: string) => OperationDeclaration | undefined,
): void {
  const found = declared(operation)
  if (found !== undefined) authorise(call.caller, found)
}

/** Binds the operations on jobs. */
export function bindJobs(
  jobs: Jobs,
  declared: (name: string) => OperationDeclaration | undefined,
): readonly OperationBinding[] {
  return [
    bindHouse(jobOperations.list, ({ limit }) => Promise.resolve({ jobs: [...jobs.list(limit)] })),
    bindHouse(jobOperations.get, async ({ job }) => jobs.get(job)),
    bindHouse(jobOperations.follow, ({ job }, { signal }) => jobs.follow(job, signal)),
    bindHouse(jobOperations.cancel, async ({ job }, call) => {
      refuseStronger(call, jobs.get(job).operation, declared)
      return jobs.cancel(job, call.caller.actor)
    }),
  ]
}
