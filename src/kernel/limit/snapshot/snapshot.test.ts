import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  admittedIn,
  createLimiter,
  parseLimit,
  restoreTable,
  saveTable,
  type Limiter,
  type NamedLimit,
  type Restored,
} from '../index.ts'

const seed = [0x8badf00d, 0xfeedface] as const
const capacity = 1000
const startMs = 1_760_000_000_000
const named = (texts: readonly string[]): readonly NamedLimit[] =>
  texts.map((text) => ({ name: `limit ${text}`, rule: parseLimit(text) }))
const texts = ['5/s', '20/min burst 8', '4 in any min', '3 at once', '1001/day burst 20'] as const

function restore(saved: Uint8Array, limits: readonly NamedLimit[], limitCapacity?: number): Limiter {
  const options = { limits, capacity, ...(limitCapacity === undefined ? {} : { limitCapacity }) }
  const found = restoreTable(saved, options)
  if ('unusable' in found) throw new Error(found.unusable)
  return createLimiter({ ...options, buffer: found.buffer, seed: found.seed })
}

const createOld = (): Limiter => createLimiter({ limits: named(texts), capacity, seed })

function usedSnapshot(): Uint8Array {
  const limiter = createOld()
  for (let turn = 0; turn < 60; turn++) limiter.takeText(turn % texts.length, `key ${turn % 7}`, startMs)
  return saveTable(limiter.buffer, { seed, nowMs: startMs })
}

describe('a restored table', () => {
  const takes = fc.array(
    fc.record({
      gapMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20_000 })),
      limit: fc.integer({ min: 0, max: texts.length - 1 }),
      key: fc.integer({ min: 0, max: 5 }),
    }),
    { maxLength: 120 },
  )

  test('answers as the one that it was taken from', () => {
    fc.assert(
      fc.property(takes, takes, (before, after) => {
        const limiter = createOld()
        let nowMs = startMs
        const turn = (subject: Limiter, { limit, key }: (typeof before)[number]): number =>
          subject.takeText(limit, `key ${key}`, nowMs)
        for (const take of before) {
          nowMs += take.gapMs
          turn(limiter, take)
        }
        const copy = restore(saveTable(limiter.buffer, { seed, nowMs }), named(texts))
        for (const take of after) {
          nowMs += take.gapMs
          expect(turn(copy, take)).toBe(turn(limiter, take))
        }
      }),
    )
  })

  test('knows when it was taken, and is as large as what is in use', () => {
    const saved = usedSnapshot()
    expect(restoreTable(saved, { limits: named(texts), capacity })).toMatchObject({ savedAtMs: startMs })
    expect(saved.length).toBeLessThan(64 + 68 * (7 + 5 * 7 * 4))
  })

  test('keeps the accounts of limits that stay, with others beside them and less room', () => {
    const limiter = createOld()
    for (let turn = 0; turn < 8; turn++) limiter.takeText(1, 'ann', startMs)
    limiter.takeText(4, 'ann', startMs)
    const saved = saveTable(limiter.buffer, { seed, nowMs: startMs })
    const roomy = restore(saved, named(['7/s', '20/min burst 8', '9/min']))
    expect(roomy.takeText(1, 'ann', startMs)).toBeGreaterThan(0)
    expect(roomy.takeText(0, 'ann', startMs)).toBe(0)
    const narrow = restore(saved, named(['20/min burst 8']), 2)
    expect(narrow.takeText(0, 'ann', startMs)).toBeGreaterThan(0)
    // Limit 1001/day found no room in it, so its number may be another limit's by now.
    const other = createLimiter({
      limits: named(['3/min', '20/min burst 8']),
      capacity,
      seed,
      buffer: narrow.buffer,
    })
    expect(other.takeText(0, 'ann', startMs)).toBe(0)
  })

  test('a value that was in work when its thread was ended counts as idle', () => {
    const limiter = createOld()
    for (let turn = 0; turn < 5; turn++) limiter.takeText(0, 'ann', startMs)
    const words = new Int32Array(limiter.buffer)
    const saved = saveTable(limiter.buffer, { seed, nowMs: startMs })
    expect(restore(saved, named(texts)).takeText(0, 'ann', startMs)).toBeGreaterThan(0)
    const clean = restore(saved, named(texts))
    const value = [...words.entries()].find(
      ([at, word]) => at > 64 * 16 && word !== 0 && at % 16 > 6 && at % 16 <= 12,
    )
    expect(value).toBeDefined()
    words[value?.[0] ?? 0] = -(2 ** 31)
    const torn = restore(saveTable(limiter.buffer, { seed, nowMs: startMs }), named(texts))
    expect(torn.takeText(0, 'ann', startMs)).toBe(0)
    expect(clean.takeText(0, 'ann', startMs)).toBeGreaterThan(0)
  })
})

describe('what is written', () => {
  test('is what is in use: who has paid all debts is left out', () => {
    const limiter = createOld()
    for (let key = 0; key < 300; key++) limiter.takeText(0, `key ${key}`, startMs)
    limiter.takeText(1, 'ann', startMs)
    const soon = saveTable(limiter.buffer, { seed, nowMs: startMs })
    const later = saveTable(limiter.buffer, { seed, nowMs: startMs + 1000 })
    expect(later.length).toBeLessThan(soon.length / 10)
    expect(restore(later, named(texts)).peek(1, limiter.hash('ann'), startMs + 1000).used).toBe(1)
  })

  test('stays within a bound: whoever is nearest to being refused is kept', () => {
    const limiter = createOld()
    for (let key = 0; key < 600; key++) limiter.takeText(4, `guest ${key}`, startMs)
    const hogs = ['hog', 'glutton', 'wolf', 'miser', 'shark']
    for (const hog of hogs) for (let unit = 0; unit < 20; unit++) limiter.takeText(4, hog, startMs)
    const mostBytes = 64 + 68 * 20
    const saved = saveTable(limiter.buffer, { seed, nowMs: startMs, mostBytes })
    expect(saved.length).toBeLessThanOrEqual(mostBytes)
    expect(saved.length).toBeGreaterThan(mostBytes - 68)
    const copy = restore(saved, named(texts))
    expect(hogs.filter((hog) => copy.takeText(4, hog, startMs) === 0)).toEqual([])
    expect(saveTable(limiter.buffer, { seed, nowMs: startMs, mostBytes: 0 }).length).toBe(64 + 68 * 6)
  })

  test('may be restored without what runs at once', () => {
    const limiter = createOld()
    for (let unit = 0; unit < 8; unit++) {
      limiter.takeText(3, 'ann', startMs)
      limiter.takeText(1, 'ann', startMs)
    }
    const saved = saveTable(limiter.buffer, { seed, nowMs: startMs })
    const options = { limits: named(texts), capacity }
    const found = restoreTable(saved, { ...options, withoutLeases: true })
    if ('unusable' in found) throw new Error(found.unusable)
    const copy = createLimiter({ ...options, ...found })
    expect(copy.takeText(3, 'ann', startMs)).toBe(0)
    expect(copy.takeText(1, 'ann', startMs)).toBeGreaterThan(0)
    expect(restore(saved, named(texts)).takeText(3, 'ann', startMs)).toBeGreaterThan(0)
  })

  test('frees nobody and locks nobody for longer than a refill, should time begin an hour or a year earlier', () => {
    for (const backMs of [1, 3_600_000, 365 * 86_400_000]) {
      const limiter = createOld()
      for (let unit = 0; unit < 8; unit++) limiter.takeText(1, 'ann', startMs)
      const copy = restore(saveTable(limiter.buffer, { seed, nowMs: startMs }), named(texts))
      const nowMs = startMs - backMs
      const waitMs = copy.takeText(1, 'ann', nowMs)
      expect(waitMs).toBeGreaterThan(0)
      const again = restore(saveTable(copy.buffer, { seed, nowMs }), named(texts))
      expect(again.takeText(1, 'ann', nowMs)).toBe(waitMs)
      expect(again.takeText(1, 'ann', nowMs + 24_000)).toBe(0)
    }
  })

  test('says how much was admitted, by which one knows that nothing was taken since', () => {
    const limiter = createOld()
    expect(admittedIn(limiter.buffer)).toBe(0)
    for (let unit = 0; unit < 9; unit++) limiter.takeText(1, 'ann', startMs)
    limiter.takeText(0, 'ann', startMs)
    expect(admittedIn(limiter.buffer)).toBe(9)
  })
})

describe('what is no usable snapshot', () => {
  const why = (bytes: Uint8Array, other: { capacity?: number } = {}): string | undefined => {
    const found: Restored | { readonly unusable: string } = restoreTable(bytes, {
      limits: named(texts),
      capacity,
      ...other,
    })
    return 'unusable' in found ? found.unusable : undefined
  }
  const saved = usedSnapshot()

  test('is said, wherever a byte is wrong', () => {
    fc.assert(
      fc.property(fc.nat(saved.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Uint8Array.from(saved)
        damaged[at] = (damaged[at] ?? 0) ^ flip
        expect(why(damaged)).toBeDefined()
      }),
    )
  })

  test('is said when it is cut, empty, of another kind or another capacity', () => {
    expect(why(saved)).toBeUndefined()
    expect(why(saved.subarray(0, saved.length - 68))).toBe('it is damaged')
    expect(why(new Uint8Array())).toBe('it is no snapshot of limits')
    expect(why(Buffer.from('x'.repeat(4096)))).toBe('it is no snapshot of limits')
    expect(why(saved, { capacity: 5000 })).toBe('it has another capacity')
    const { buffer } = createOld()
    const foreign = saveTable(buffer, { seed: [1, 2], nowMs: startMs })
    expect(why(foreign)).toBe('its seed does not fit')
    expect(why(saveTable(buffer, { seed, nowMs: Number.NaN }))).toBe('its time is none')
  })
})
