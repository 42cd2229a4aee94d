import { closest, HoldfastError, type JsonObject } from '../../kernel/std/index.ts'

/** The part of a zod issue that we read. */
export interface Issue {
  readonly code?: string | undefined
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly keys?: readonly string[] | undefined
  readonly errors?: readonly (readonly Issue[])[] | undefined
  readonly issues?: readonly Issue[] | undefined
}

/** One thing that is wrong with an environment file. */
export interface Problem {
  readonly path: string
  readonly message: string
  readonly hint: string
}

type SchemaNode = JsonObject

function isNode(value: unknown): value is SchemaNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function branches(node: SchemaNode): readonly SchemaNode[] {
  const alternatives = node['anyOf'] ?? node['oneOf'] ?? node['allOf']
  return Array.isArray(alternatives) ? alternatives.filter(isNode).flatMap(branches) : [node]
}

function child(node: SchemaNode, key: PropertyKey): readonly SchemaNode[] {
  return branches(node).flatMap((branch) => {
    const properties = branch['properties'] as Record<string, SchemaNode> | undefined
    const found = properties?.[String(key)] ?? branch['additionalProperties'] ?? branch['items']
    return isNode(found) ? [found] : []
  })
}

/** The keys that a JSON Schema knows at a path. */
export function keysAt(schema: SchemaNode, path: readonly PropertyKey[]): readonly string[] {
  const nodes = path.reduce<readonly SchemaNode[]>(
    (found, key) => found.flatMap((node) => child(node, key)),
    [schema],
  )
  return nodes
    .flatMap(branches)
    .flatMap((node) => Object.keys((node['properties'] as object | undefined) ?? {}))
}

function describeUnknownKeys(issue: Issue, schema: SchemaNode): readonly Problem[] {
  const known = keysAt(schema, issue.path)
  return (issue.keys ?? []).map((key) => {
    const meant = closest(key, known)
    return {
      path: [...issue.path, key].join('.'),
      message: `unknown key "${key}"`,
      hint: meant === undefined ? `the keys here are ${known.join(', ')}` : `did you mean "${meant}"?`,
    }
  })
}

/** Of a union, the branch whose author came furthest says best what is wrong. */
function likeliest(alternatives: readonly (readonly Issue[])[]): readonly Issue[] {
  const depth = (issues: readonly Issue[]): number => Math.max(0, ...issues.map((issue) => issue.path.length))
  const typeErrors = (issues: readonly Issue[]): number =>
    issues.filter((issue) => issue.code === 'invalid_type' && issue.path.length === 0).length
  return [...alternatives].sort((a, b) => typeErrors(a) - typeErrors(b) || depth(b) - depth(a))[0] ?? []
}

/** Says zod's issues in the words of the environment file. */
export function describeIssues(issues: readonly Issue[], schema: SchemaNode): readonly Problem[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return describeUnknownKeys(issue, schema)
    if (issue.code === 'invalid_union' && issue.errors !== undefined && issue.errors.length > 0) {
      const inner = likeliest(issue.errors).map((each) => ({ ...each, path: [...issue.path, ...each.path] }))
      return describeIssues(inner, schema)
    }
    const path = issue.path.map(String).join('.')
    const reason =
      issue.code === 'invalid_key' ? (issue.issues?.[0]?.message ?? issue.message) : issue.message
    return [
      {
        path,
        message: reason.replace(/^Invalid input: /, ''),
        hint: 'see docs/reference/environment-file.md',
      },
    ]
  })
}

/** The one error that stands for all problems: the first in full, the number of the rest. */
export function problemError(problems: readonly Problem[]): HoldfastError {
  const [first, ...rest] = problems
  const more =
    rest.length === 0 ? '' : ` (and ${rest.length} more: ${rest.map(({ path }) => path).join(', ')})`
  return new HoldfastError({
    code: 'configuration.invalid',
    kind: 'user',
    message: `${first?.path === '' ? '' : `${first?.path}: `}${first?.message ?? 'it is not valid'}${more}`,
    path: first?.path,
    hint: first?.hint,
  })
}
