import { Worker } from 'node:worker_threads'
import { afterEach, expect, test, vi } from 'vitest'
import { header, STRIPES } from '../../../kernel/limit/buffer.ts'
import type { ToThread } from './shared/index.ts'
import { startOrigin, startTestbed, type TestOrigin } from './testbed.test-support.ts'

let origin: TestOrigin

afterEach(async () => {
  vi.restoreAllMocks()
  await origin.close()
})

/** Limiters that count without locking, of the table that a thread was given last. */
function countingIn(handed: readonly unknown[]): number {
  const message = handed.findLast((each) => (each as ToThread).say === 'prepare') as ToThread
  if (message.say !== 'prepare') throw new Error('no policy was handed out')
  const words = new Int32Array(message.handout.limiter)
  return Array.from({ length: STRIPES }, (_, stripe) => words[header.stripes + stripe]).filter(Boolean).length
}

test('however often policies change, only limiters in use count without locking; none when all threads have ended', async () => {
  const handing = vi.spyOn(Worker.prototype, 'postMessage')
  const handed = (): readonly unknown[] => handing.mock.calls.map(([message]) => message as unknown)
  origin = await startOrigin((_request, response) => response.end())
  const section = (limit: string) => ({ routes: { '/*': { to: 'web', limit } } })
  const bed = await startTestbed({ section: section('100/s'), origins: { web: [origin.url] }, threads: 2 })
  expect(countingIn(handed())).toBe(2)
  for (let turn = 1; turn <= 10; turn++) await bed.apply({ section: section(`10${turn}/s`) })
  expect(countingIn(handed())).toBe(2)
  expect((await fetch(bed.url)).status).toBe(200)
  await bed.stop()
  expect(countingIn(handed())).toBe(0)
})
