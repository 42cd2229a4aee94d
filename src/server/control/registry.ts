import type { OperationBinding } from '../../kernel/capability/index.ts'
import { closest, HoldfastError, type OperationDeclaration } from '../../kernel/std/index.ts'

/** The operations that the house can carry out, by name. */
export interface Registry {
  /** Errors: `operations.unknown`. */
  find(name: string): OperationBinding
  get(name: string): OperationBinding | undefined
  readonly operations: readonly OperationDeclaration[]
}

function bug(message: string): HoldfastError {
  return new HoldfastError({
    code: 'operations.misdeclared',
    kind: 'bug',
    message,
    hint: 'contracts and capabilities disagree; please report it',
  })
}

function refuseDuplicates(names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw bug(`${twice} is bound twice`)
}

/** A job's input and result are facts, so nothing of them can be sensitive. */
function refuseSensitiveJobs(operations: readonly OperationDeclaration[]): void {
  const found = operations.find(({ answers, sensitive }) => answers === 'job' && sensitive.length > 0)
  if (found !== undefined) throw bug(`${found.name} is a job with sensitive fields`)
}

function unknown(name: string, names: readonly string[]): HoldfastError {
  const meant = closest(name, names)
  return new HoldfastError({
    code: 'operations.unknown',
    kind: 'user',
    message: `there is no operation "${name.slice(0, 100)}"`,
    hint: meant === undefined ? 'see "holdfast operations"' : `did you mean "${meant}"?`,
  })
}

/**
 * Joins bindings and catalogue: each operation of the catalogue is bound exactly once, and nothing else is.
 * Errors: `operations.misdeclared`, a bug.
 */
export function createRegistry(
  bindings: readonly OperationBinding[],
  catalogue: readonly OperationDeclaration[],
): Registry {
  const names = bindings.map(({ declaration }) => declaration.name)
  refuseDuplicates(names)
  const undeclared = bindings.find(({ declaration }) => !catalogue.includes(declaration))
  if (undeclared !== undefined) throw bug(`${undeclared.declaration.name} is bound but not in the catalogue`)
  const unbound = catalogue.find(({ name }) => !names.includes(name))
  if (unbound !== undefined) throw bug(`${unbound.name} is in the catalogue but bound to no code`)
  refuseSensitiveJobs(catalogue)
  const byName = new Map(bindings.map((binding) => [binding.declaration.name, binding]))
  return {
    operations: bindings.map(({ declaration }) => declaration),
    get: (name) => byName.get(name),
    find: (name) => {
      const binding = byName.get(name)
      if (binding === undefined) throw unknown(name, names)
      return binding
    },
  }
}
