import { operationFacts } from '../../../contracts/index.ts'
import {
  canonicalJson,
  type Json,
  type JsonObject,
  type OperationDeclaration,
} from '../../../kernel/std/index.ts'

/** At most this much of an input goes on the timeline, as JSON, in characters. */
export const maxRecordedInput = 4096

function without(value: Json, fields: readonly string[]): Json {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map((item: Json) => without(item, fields))
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !fields.includes(key))
      .map(([key, item]) => [key, without(item, fields)]),
  )
}

/** A value without fields of these names, at any depth. */
export function withoutFields(value: unknown, fields: readonly string[]): Json {
  const plain: unknown = value === undefined ? null : JSON.parse(JSON.stringify(value))
  return without(plain as Json, fields)
}

/** The input as it may be seen by everybody who sees the timeline: no sensitive field, bounded size. */
export function recordedInput(declaration: OperationDeclaration, input: unknown): JsonObject {
  const visible = withoutFields(input, declaration.sensitive)
  if (visible === null || typeof visible !== 'object' || Array.isArray(visible)) return {}
  const size = canonicalJson(visible).length
  return size <= maxRecordedInput ? (visible as JsonObject) : { omitted: `${size} characters` }
}

/**
 * Whether a call leaves a fact: whatever changes something and every job does, with a refusal of permission on
 * those. A refusal by a limit does not, or a flood would fill the timeline; limits count their refusals.
 */
export function leavesFact(declaration: Pick<OperationDeclaration, 'danger' | 'answers'>): boolean {
  return declaration.danger !== 'none' || declaration.answers === 'job'
}

/** Outcome codes that mean that permission was refused. */
export function isRefusedPermission(outcome: string): boolean {
  return outcome === 'access.denied' || outcome === 'access.unauthenticated'
}

/** Declaration and data of the fact that a call leaves. */
export function calledFact(
  declaration: OperationDeclaration,
  call: { readonly actor: string; readonly input: unknown; readonly outcome: string },
): { readonly declaration: typeof operationFacts.called; readonly data: CalledData } {
  const { actor, outcome } = call
  const input = recordedInput(declaration, call.input) as CalledData['input']
  return { declaration: operationFacts.called, data: { operation: declaration.name, actor, outcome, input } }
}

type CalledData = ReturnType<typeof operationFacts.called.data.parse>
