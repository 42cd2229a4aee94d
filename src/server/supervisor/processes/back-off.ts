const FIRST_DELAY_MS = 100
const MOST_DELAY_MS = 5000
/** A life of this length makes good for earlier crashes. */
const LONG_LIFE_MS = 10_000
/** Who ends in order after so long a life has done what it was asked for: a reload is a restart of control. */
const ORDERLY_LIFE_MS = 500

/** How one of our own processes lived. */
export interface OwnLife {
  readonly lifeMs: number
  /** It ended in order, with code 0. */
  readonly orderly: boolean
}

/**
 * How long to wait before one of our own processes is started again: the first time not at all, then 100 ms, 200 ms
 * ... 5 s. `shortLives` is how many short lives in a row came before this one; one that ended in order is none.
 */
export function decideDelay(
  { lifeMs, orderly }: OwnLife,
  shortLives: number,
): { delayMs: number; shortLives: number } {
  if (orderly && lifeMs >= ORDERLY_LIFE_MS) return { delayMs: 0, shortLives }
  if (lifeMs >= LONG_LIFE_MS || shortLives === 0) return { delayMs: 0, shortLives: 1 }
  const delayMs = Math.min(MOST_DELAY_MS, FIRST_DELAY_MS * 2 ** (shortLives - 1))
  return { delayMs, shortLives: shortLives + 1 }
}
