import { expect, test } from 'vitest'
import { banFold, bansOf, mostBans } from './bans.ts'

test('bans that are over go when others come, and there is a bound', () => {
  const at = Date.UTC(2026, 0, 1)
  const fact = (subject: string, end: number, time: number) =>
    ({ kind: 'limits.banned', at: time, data: { subject, until: end, because: 'x' } }) as never
  let state = banFold.step(banFold.initial, fact('user:old', at + 1000, at))
  state = banFold.step(state, fact('user:new', at + 9000, at + 2000))
  expect(bansOf(state).map(({ subject }) => subject)).toEqual(['user:new'])
  const many = Object.fromEntries(
    Array.from({ length: mostBans }, (_, index) => [
      `user:${index}`,
      { until: at + 5000 + index, because: '' },
    ]),
  )
  const full = banFold.step({ bans: many }, fact('user:last', at + 90_000, at))
  expect(Object.keys(full.bans)).toHaveLength(mostBans)
  expect(full.bans['user:0']).toBeUndefined()
  expect(full.bans['user:last']).toBeDefined()
})
