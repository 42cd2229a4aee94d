import type { RedisServer } from '../../../../test/support/redis-server.ts'
import { systemClock } from '../../../kernel/std/index.ts'
import { startTestbed, type Testbed, type TestbedParts } from './testbed.test-support.ts'

/** Threads of each edge of tests. */
const threads = 2

/** Starts two edges of two threads each that share a store, and waits until all threads have connected to it. */
export async function startTwoEdges(server: RedisServer, parts: TestbedParts): Promise<readonly Testbed[]> {
  const beds = [await startTestbed({ ...parts, threads }), await startTestbed({ ...parts, threads })]
  // A thread connects while the first policy is prepared.
  for (let turn = 0; turn < 200; turn++) {
    const clients = String(await server.client.client('LIST'))
      .trim()
      .split('\n').length
    if (clients >= 1 + 2 * threads) break
    await systemClock.sleep(20)
  }
  return beds
}

/** What requests are answered with, sent to the edges in turn. */
export async function statusesOf(
  all: readonly Testbed[],
  { requests, path = '/' }: { readonly requests: number; readonly path?: string },
): Promise<readonly number[]> {
  const seen: number[] = []
  for (let turn = 0; turn < requests; turn++) {
    const response = await fetch(`${all[turn % all.length]?.url}${path}`)
    await response.text()
    seen.push(response.status)
  }
  return seen
}

/** How many of them were this one. */
export const countOf = (seen: readonly number[], status: number): number =>
  seen.filter((each) => each === status).length
