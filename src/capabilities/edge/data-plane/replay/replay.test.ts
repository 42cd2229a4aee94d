import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByStart, startOf } from './by-start.ts'
import { Heap } from './heap.ts'
import type { LoggedRequest } from './requests.ts'
import { rolledRequests } from './rolled.ts'

test('a heap gives the earliest first, whatever comes when', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(50)), { maxLength: 200 }), (steps) => {
      const heap = new Heap<number>()
      let model: number[] = []
      for (const step of steps) {
        if (step !== null) {
          heap.push(step, step)
          model = [...model, step].toSorted((a, b) => a - b)
          continue
        }
        expect(heap.nextMs).toBe(model[0] ?? Number.POSITIVE_INFINITY)
        expect(heap.pop()).toBe(model.shift())
      }
      expect(heap.size).toBe(model.length)
    }),
  )
})

const request = (atMs: number, durationMs: number | null): LoggedRequest => ({
  atMs,
  durationMs,
  address: '203.0.113.7',
  method: 'GET',
  target: '/',
  host: '',
  user: '',
  userAgent: '',
  status: 200,
})

test('requests that a log has as they ended come as they began; of a very long one ten minutes count', () => {
  const given: number[] = []
  const order = new ByStart((each) => given.push(startOf(each)))
  for (const each of [request(2000, 500), request(5000, 4900), request(6000, null)]) order.take(each)
  expect(given).toEqual([])
  order.take(request(700_000, 9_000_000))
  expect(given).toEqual([100, 1500, 6000, 100_000])
  order.end()
  expect(given).toHaveLength(4)
})

test('the requests of a roll-up are spread over their minutes, in order, and what is nobody\u2019s comes between', () => {
  const sender = { route: '/*', address: '203.0.113.7', who: 'user:42' }
  const found = [
    ...rolledRequests({
      from: 60_000,
      until: 360_000,
      routes: [{ route: '/*', requests: [3, 0, 1, 0, 0] }],
      senders: [{ ...sender, requests: [2, 0, 4, 0, 0] }],
    }),
  ]
  const own = { route: '/*', sender: { address: '203.0.113.7', who: 'user:42' } }
  expect(found.slice(0, 3)).toEqual([
    { ...own, atMs: 75_000 },
    { route: '/*', sender: null, atMs: 90_000 },
    { ...own, atMs: 105_000 },
  ])
  // By samples there may be more of a sender than of its route.
  expect(found.slice(3).map(({ atMs }) => atMs)).toEqual([187_500, 202_500, 217_500, 232_500])
})
