import { expect, test } from 'vitest'
import { createExposureWatch } from './exposure.ts'
import type { Listener } from './listeners.ts'

const listener = (inode: string, loopback = false): Listener => ({
  address: '0.0.0.0',
  port: 1,
  loopback,
  inode,
})

test('the holder of a listener beyond loopback is found, one on loopback is left alone', () => {
  const open = [listener('1'), listener('2', true)]
  const inodes = new Map([
    [10, new Set(['1'])],
    [20, new Set(['2'])],
  ])
  const watch = createExposureWatch(
    () => open,
    (pid) => inodes.get(pid) ?? new Set(),
  )
  const found = watch.look(
    () =>
      new Map([
        ['web/1', [9, 10]],
        ['safe/1', [20]],
      ]),
  )
  expect([...found.keys()]).toEqual(['web/1'])
})

test("a stranger's listener is looked up once, a guilty one each time, a forgotten one again", () => {
  let looks = 0
  let held = new Set<string>()
  const watch = createExposureWatch(
    () => [listener('1')],
    () => {
      looks++
      return held
    },
  )
  const pids = (): Map<string, number[]> => new Map([['web/1', [10]]])
  expect(watch.look(pids).size).toBe(0)
  expect(watch.look(pids).size).toBe(0)
  expect(looks).toBe(1)
  held = new Set(['1'])
  watch.forget()
  expect(watch.look(pids).size).toBe(1)
  expect(watch.look(pids).size).toBe(1)
})
