import type { EdgePolicy } from '../../contracts/edge-policy.ts'
import { readFromHouse } from '../../contracts/socket-door.ts'
import { parseJson } from '../files/index.ts'

/** A policy, or what is wrong with the text. */
export type ParsedPolicy = { readonly policy: EdgePolicy } | { readonly issue: string; readonly cause: Error }

/**
 * Reads a policy's text. The schema is loaded only now: an edge that is started anew serves on a policy that was read
 * before, and connections wait for it.
 */
export async function parsePolicy(text: string): Promise<ParsedPolicy> {
  const { edgePolicy } = await import('../../contracts/edge-policy.ts')
  const read = readFromHouse(edgePolicy, parseJson(text))
  if (read.success) return { policy: read.data }
  const [issue] = read.error.issues
  return { issue: `${issue?.path.join('.')} ${issue?.message ?? ''}`.trim(), cause: read.error }
}
