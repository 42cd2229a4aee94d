import { HoldfastError, type OperationDeclaration } from '../../../kernel/std/index.ts'

interface Issue {
  readonly path: readonly PropertyKey[]
  readonly message: string
  /** Of an unknown key. */
  readonly keys?: readonly string[]
}

function firstIssue(error: unknown): Issue | undefined {
  const issues = (error as { readonly issues?: readonly Issue[] } | null)?.issues
  return Array.isArray(issues) ? (issues as readonly Issue[])[0] : undefined
}

/** Path of the field at fault; an unknown key is itself at fault and not the object around it. */
function pathOf({ path, keys = [] }: Issue): string {
  return [...path, ...keys.slice(0, 1)].map(String).join('.')
}

function invalidInput(declaration: OperationDeclaration, cause: unknown): HoldfastError {
  const issue = firstIssue(cause) ?? { path: [], message: 'it does not fit' }
  const path = pathOf(issue)
  return new HoldfastError({
    code: 'operations.invalid-input',
    kind: 'user',
    message: `${path === '' ? 'the input' : `"${path}"`} of ${declaration.name} is not valid: ${issue.message}`,
    hint: `see "holdfast help ${declaration.command?.words ?? `call ${declaration.name}`}"`,
    ...(path === '' ? {} : { path }),
    cause,
  })
}

/** The input with its defaults filled in. Errors: `operations.invalid-input`, naming the field. */
export function validateInput(declaration: OperationDeclaration, input: unknown): unknown {
  try {
    return declaration.input.parse(input)
  } catch (error) {
    throw invalidInput(declaration, error)
  }
}

/** What leaves the house is what was declared and nothing more. Errors: `operations.invalid-output`, a bug. */
export function validateOutput(declaration: OperationDeclaration, output: unknown): unknown {
  try {
    return declaration.output.parse(output)
  } catch (cause) {
    const issue = firstIssue(cause)
    throw new HoldfastError({
      code: 'operations.invalid-output',
      kind: 'bug',
      message: `${declaration.name} answered something else than it declares`,
      path: issue?.path.map(String).join('.'),
      cause,
    })
  }
}
