import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { steadyTime, systemClock, virtualClock } from './index.ts'

describe('the system clock', () => {
  it('tells the wall-clock time and a time that never goes back', () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000)
    const first = systemClock.monotonicMs()
    expect(systemClock.monotonicMs()).toBeGreaterThanOrEqual(first)
  })

  it('sleeps, and wakes with the reason of its signal', async () => {
    const begin = systemClock.monotonicMs()
    await systemClock.sleep(15)
    expect(systemClock.monotonicMs() - begin).toBeGreaterThanOrEqual(14)
    const stop = new AbortController()
    const sleeping = systemClock.sleep(60_000, stop.signal)
    stop.abort(new Error('enough'))
    await expect(sleeping).rejects.toThrow('enough')
    await expect(systemClock.sleep(60_000, stop.signal)).rejects.toThrow('enough')
  })

  it('ticks until it is stopped', async () => {
    let ticks = 0
    await new Promise<void>((resolve) => {
      const stop = systemClock.every(2, () => {
        ticks++
        if (ticks < 3) return
        stop()
        resolve()
      })
      // The ticking does not keep the process alive; this does.
      setTimeout(resolve, 5000).unref()
    })
    await systemClock.sleep(10)
    expect(ticks).toBe(3)
  })
})

describe('a virtual clock', () => {
  it('stands still until it is advanced', async () => {
    const clock = virtualClock(1000)
    let isAwake = false
    const sleeping = clock.sleep(100).then(() => (isAwake = true))
    await clock.advance(99)
    expect(isAwake).toBe(false)
    expect(clock.now()).toBe(1099)
    await clock.advance(1)
    expect(isAwake).toBe(true)
    await sleeping
  })

  it('fires in order of time, then of asking, with the time set to when each was due', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(50), { maxLength: 12 }), async (delays) => {
        const clock = virtualClock(0)
        const fired: [number, number][] = []
        delays.forEach((delay, index) => {
          void clock.sleep(delay).then(() => fired.push([clock.now(), index]))
        })
        await clock.advance(100)
        const expected = delays
          .map((delay, index) => [delay, index])
          .sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0))
        expect(fired).toEqual(expected)
      }),
      { numRuns: 20 },
    )
  })

  it('lets a sleeper sleep again within one advance', async () => {
    const clock = virtualClock(0)
    const woken: number[] = []
    const run = async (): Promise<void> => {
      for (let turn = 0; turn < 3; turn++) {
        await clock.sleep(10)
        woken.push(clock.now())
      }
    }
    const running = run()
    await clock.advance(35)
    await running
    expect(woken).toEqual([10, 20, 30])
  })

  it('ticks every period until it is stopped', async () => {
    const clock = virtualClock(0)
    const ticks: number[] = []
    const stop = clock.every(10, () => ticks.push(clock.now()))
    await clock.advance(35)
    stop()
    await clock.advance(100)
    expect(ticks).toEqual([10, 20, 30])
  })

  it('jumps the wall clock and no timer', async () => {
    const clock = virtualClock(1000)
    let isAwake = false
    void clock.sleep(10).then(() => (isAwake = true))
    clock.jump(-500)
    expect(clock.now()).toBe(500)
    expect(clock.monotonicMs()).toBe(0)
    await clock.advance(9)
    expect(isAwake).toBe(false)
    await clock.advance(1)
    expect(isAwake).toBe(true)
  })

  it('wakes a sleeper with the reason of its signal, and only once', async () => {
    const clock = virtualClock()
    const stop = new AbortController()
    const sleeping = clock.sleep(10, stop.signal)
    stop.abort(new Error('enough'))
    await expect(sleeping).rejects.toThrow('enough')
    await expect(clock.sleep(10, stop.signal)).rejects.toThrow('enough')
    await clock.advance(20)
  })
})

describe('steady time', () => {
  it('begins as the wall clock and is moved by none of its jumps', async () => {
    const clock = virtualClock(1_000_000)
    const timeMs = steadyTime(clock)
    expect(timeMs()).toBe(1_000_000)
    clock.jump(86_400_000)
    await clock.advance(500)
    clock.jump(-2 * 86_400_000)
    await clock.advance(500)
    expect(timeMs()).toBe(1_001_000)
    await clock.advance(0.75)
    expect(timeMs()).toBe(1_001_000)
  })

  it('goes on where an earlier one was, if the wall clock was set back meanwhile', async () => {
    const clock = virtualClock(1_000_000)
    const timeMs = steadyTime(clock, 1_500_000)
    await clock.advance(500)
    expect(timeMs()).toBe(1_500_500)
    expect(steadyTime(clock, 900_000)()).toBe(1_000_500)
  })
})
