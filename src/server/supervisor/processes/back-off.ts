const FIRST_DELAY_MS = 100
const MOST_DELAY_MS = 5000
/** A life of this length makes good for earlier crashes. */
const LONG_LIFE_MS = 10_000

/**
 * How long to wait before one of our own processes is started again: the first time not at all, then 100 ms, 200 ms
 * ... 5 s. `lifeMs` is how long it lived, `shortLives` how many short lives in a row came before this one.
 */
export function decideDelay(lifeMs: number, shortLives: number): { delayMs: number; shortLives: number } {
  if (lifeMs >= LONG_LIFE_MS || shortLives === 0) return { delayMs: 0, shortLives: 1 }
  const delayMs = Math.min(MOST_DELAY_MS, FIRST_DELAY_MS * 2 ** (shortLives - 1))
  return { delayMs, shortLives: shortLives + 1 }
}
