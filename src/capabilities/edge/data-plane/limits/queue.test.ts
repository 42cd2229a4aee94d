import { describe, expect, test } from 'vitest'
import { virtualClock } from '../../../../kernel/std/index.ts'
import { LimitQueue } from './queue.ts'

/** A bucket that gives one every `everyMs`, per key. */
function bucket(everyMs: number) {
  const clock = virtualClock()
  const dueMs = new Map<number, number>()
  const queue = new LimitQueue({ places: 3, patienceMs: 1000 }, clock)
  const order: string[] = []
  const leaves: (() => void)[] = []
  const enter = (name: string, key: number, waitMs = everyMs) => {
    const answer = queue.join<string>({
      key,
      waitMs,
      attempt: (isLast) => {
        const due = dueMs.get(key) ?? everyMs
        if (clock.monotonicMs() < due) return isLast ? `${name} refused` : due - clock.monotonicMs()
        dueMs.set(key, due + everyMs)
        return `${name} admitted`
      },
      onGone: (leave) => {
        leaves.push(leave)
        return () => undefined
      },
    })
    void answer?.then((said) => order.push(said ?? `${name} gone`))
    return answer
  }
  return { clock, queue, order, enter, leaves }
}

describe('a queue', () => {
  test('admits in order of arrival, and others do not wait for them', async () => {
    const { clock, order, enter, queue } = bucket(300)
    void enter('a1', 1)
    void enter('a2', 1)
    void enter('b1', 2)
    expect(queue.holds(1) && queue.holds(2) && !queue.holds(3)).toBe(true)
    await clock.advance(299)
    expect(order).toEqual([])
    await clock.advance(1)
    expect(order).toEqual(['a1 admitted', 'b1 admitted'])
    await clock.advance(300)
    expect(order).toEqual(['a1 admitted', 'b1 admitted', 'a2 admitted'])
    expect(queue.holds(1)).toBe(false)
  })

  test('has so many places and no more, and takes nobody in who would wait in vain', async () => {
    const { clock, enter, order } = bucket(300)
    expect(enter('x', 9, 1001)).toBeNull()
    for (const name of ['a', 'b', 'c']) expect(enter(name, 1)).not.toBeNull()
    expect(enter('d', 1)).toBeNull()
    await clock.advance(300)
    expect(enter('d', 1)).not.toBeNull()
    await clock.advance(5000)
    expect(order).toEqual(['a admitted', 'b admitted', 'c admitted', 'd admitted'])
  })

  test('refuses whoever has waited for as long as is allowed', async () => {
    const { clock, enter, order } = bucket(600)
    void enter('a', 1)
    void enter('b', 1)
    await clock.advance(600)
    await clock.advance(399)
    expect(order).toEqual(['a admitted'])
    await clock.advance(1)
    expect(order).toEqual(['a admitted', 'b refused'])
  })

  test('whoever has gone holds no place and nobody up', async () => {
    const { clock, enter, order, leaves, queue } = bucket(300)
    void enter('a', 1)
    void enter('b', 1)
    leaves[0]?.()
    await clock.advance(300)
    expect(order).toEqual(['a gone', 'b admitted'])
    expect(queue.holds(1)).toBe(false)
  })

  test('waits for whoever has to ask somebody else, and asks nobody behind meanwhile', async () => {
    const clock = virtualClock()
    const queue = new LimitQueue({ places: 3, patienceMs: 1000 }, clock)
    const asked: string[] = []
    const answers: ((answer: number | string) => void)[] = []
    const order: string[] = []
    for (const name of ['a', 'b']) {
      const attempt = (): Promise<number | string> => {
        asked.push(name)
        return new Promise((resolve) => answers.push(resolve))
      }
      const waiter = { key: 1, waitMs: 100, attempt, onGone: () => () => undefined }
      void queue.join<string>(waiter)?.then((said) => order.push(`${name} ${said}`))
    }
    const answer = async (said: number | string): Promise<void> => {
      answers.shift()?.(said)
      await clock.advance(0)
    }
    await clock.advance(300)
    expect(asked).toEqual(['a'])
    await answer(200)
    await clock.advance(199)
    expect(asked).toEqual(['a'])
    await clock.advance(1)
    expect(asked).toEqual(['a', 'a'])
    await answer('admitted')
    expect(order).toEqual(['a admitted'])
    expect(asked).toEqual(['a', 'a', 'b'])
    await answer('admitted too')
    expect(order).toEqual(['a admitted', 'b admitted too'])
    expect(queue.holds(1)).toBe(false)
  })
})
