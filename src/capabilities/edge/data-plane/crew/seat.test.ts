import { expect, test } from 'vitest'
import { openTargetBoard } from '../shared/index.ts'
import { openSeat } from './seat.ts'

test('a question is answered with why the thread ended, before it ends and after', async () => {
  const ground = {
    thread: 0,
    threads: 1,
    targets: openTargetBoard(1, 0).buffer,
    randomSeed: 1,
    seed: [1, 2] as const,
    pseudonym: 'test',
    timeOriginMs: 0,
    places: [],
    counterStore: null,
  }
  const seat = openSeat(ground, () => undefined)
  const ended = { code: 'edge.thread-ended', kind: 'operational' }
  const before = seat.ask({ say: 'drain', deadlineMs: 0 }, 'serving').catch((error: unknown) => error)
  await seat.end()
  await seat.ended
  expect(await before).toMatchObject(ended)
  await expect(seat.ask({ say: 'drain', deadlineMs: 0 }, 'drained')).rejects.toMatchObject(ended)
})
