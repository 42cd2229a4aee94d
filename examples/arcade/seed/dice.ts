/** Reproducible numbers in [0, 1) (mulberry32), so that every fresh arcade looks the same. */
export function dice(seedNumber: number): () => number {
  let state = seedNumber >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** One of a list. */
export function pick<T>(roll: () => number, list: readonly T[]): T {
  const chosen = list[Math.floor(roll() * list.length)]
  if (chosen === undefined) throw new Error('nothing to pick from')
  return chosen
}
