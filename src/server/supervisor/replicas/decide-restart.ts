/** One life of a replica, on a monotonic clock, milliseconds. */
export interface Life {
  readonly startedAtMs: number
  readonly endedAtMs: number
}

/** What to do about a replica that ended by itself. */
export type RestartDecision =
  | { readonly kind: 'restart'; readonly afterMs: number }
  /** Left down: this many crashes within `withinMs`. */
  | { readonly kind: 'crash-looped'; readonly crashes: number; readonly withinMs: number }

const FIRST_DELAY_MS = 500
const MOST_DELAY_MS = 30_000
/** A life of this length makes good for earlier crashes. */
export const LONG_LIFE_MS = 60_000
const LOOP_CRASHES = 5
const LOOP_WINDOW_MS = 60_000
/** As many lives as a decision can depend on. */
export const LIVES_KEPT = 10

/**
 * Decides from the lives so far, oldest first, the last one just ended: 0.5 s, 1 s, 2 s ... 30 s after short lives in
 * a row; five short lives that ended within a minute are a crash loop, if `mayGiveUp`.
 */
export function decideRestart(lives: readonly Life[], nowMs: number, mayGiveUp = true): RestartDecision {
  const lastLong = lives.findLastIndex((life) => life.endedAtMs - life.startedAtMs >= LONG_LIFE_MS)
  const short = lives.slice(lastLong + 1)
  const recent = short.filter((life) => nowMs - life.endedAtMs <= LOOP_WINDOW_MS)
  if (mayGiveUp && recent.length >= LOOP_CRASHES) {
    const withinMs = nowMs - (recent.at(-LOOP_CRASHES)?.startedAtMs ?? nowMs)
    return { kind: 'crash-looped', crashes: LOOP_CRASHES, withinMs }
  }
  const afterMs = Math.min(MOST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.max(0, short.length - 1))
  return { kind: 'restart', afterMs }
}
