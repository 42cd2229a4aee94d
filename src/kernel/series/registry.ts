import type { StoredSeries } from './archive.ts'
import type { MeasureKind, SeriesKey } from './port.ts'

/** Bounds on what a series may be called. */
export const keyBounds = { labels: 4, nameLength: 100, labelLength: 60, valueLength: 300 } as const

/** A series that has been silent for this long gives way to a new one when all places are taken. */
export const silentMs = 24 * 3_600_000

/** Which series there are; at most `maxSeries`. */
export interface Registry {
  /** The series of a key, a new one if need be; undefined when it is badly named or there is no room. */
  find(key: SeriesKey, kind: MeasureKind, now: number): StoredSeries | undefined
  /** Those of a name that carry all of the labels. */
  matching(name: string, labels: Readonly<Record<string, string>>): readonly StoredSeries[]
  all(): readonly StoredSeries[]
  get(slot: number): StoredSeries | undefined
}

type Entry = { -readonly [Field in keyof StoredSeries]: StoredSeries[Field] }

/** Creates a registry; `forget` is called with the slot of a series that gave way, before it is given anew. */
export function createRegistry(
  known: readonly StoredSeries[],
  maxSeries: number,
  forget: (slot: number) => void,
): Registry {
  const byText = new Map<string, Entry>()
  const bySlot = new Map<number, Entry>()
  let fullUntil = -Infinity
  const put = (series: StoredSeries): StoredSeries => {
    const entry = { ...series }
    byText.set(textOf(series.key), entry)
    bySlot.set(series.slot, entry)
    return entry
  }
  for (const series of known) put(series)

  const freeSlot = (): number | undefined => {
    for (let slot = 0; slot < maxSeries; slot++) if (!bySlot.has(slot)) return slot
    return undefined
  }
  const displace = (now: number): number | undefined => {
    if (now < fullUntil) return undefined
    const oldest = [...bySlot.values()].reduce((a, b) => (b.seenAt < a.seenAt ? b : a))
    fullUntil = oldest.seenAt + silentMs
    if (now < fullUntil) return undefined
    byText.delete(textOf(oldest.key))
    bySlot.delete(oldest.slot)
    forget(oldest.slot)
    return oldest.slot
  }
  const place = (now: number): number | undefined => (bySlot.size < maxSeries ? freeSlot() : displace(now))

  return {
    find: (key, kind, now) => {
      const found = byText.get(textOf(key))
      if (found !== undefined) {
        found.kind = kind
        found.seenAt = now
        return found
      }
      const slot = isSoundKey(key) ? place(now) : undefined
      if (slot === undefined) return undefined
      return put({ slot, key: { name: key.name, labels: { ...key.labels } }, kind, seenAt: now })
    },
    matching: (name, labels) =>
      [...bySlot.values()].filter(
        ({ key }) =>
          key.name === name && Object.entries(labels).every(([label, value]) => key.labels[label] === value),
      ),
    all: () => [...bySlot.values()],
    get: (slot) => bySlot.get(slot),
  }
}

function textOf(key: SeriesKey): string {
  const labels = Object.entries(key.labels).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([key.name, labels])
}

function isSoundKey(key: SeriesKey): boolean {
  const labels = Object.entries(key.labels)
  const fits = (text: string, bound: number): boolean => text.length > 0 && text.length <= bound
  return (
    fits(key.name, keyBounds.nameLength) &&
    labels.length <= keyBounds.labels &&
    labels.every(
      ([label, value]) => fits(label, keyBounds.labelLength) && value.length <= keyBounds.valueLength,
    )
  )
}
