/** One measured figure, beside a named peer where there is one. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** The peer with its version; absent: there is none. */
  readonly peer?: string
  readonly peerValue?: number
  /** `value / peerValue`. */
  readonly ratio?: number
  /** What the figure must keep, or the physical limit, in words. */
  readonly limit?: string
}

/** What a bench answers with; `npm run bench -- <name> --json` prints it. */
export interface BenchResult {
  readonly bench: string
  readonly figures: readonly Figure[]
}

/** The median of at least one value. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2
}

/**
 * Measures several contestants in turn, round after round, so that a noisy machine disturbs all of them alike;
 * returns the median of each, by name.
 */
export async function interleaved<Name extends string>(
  contestants: Readonly<Record<Name, () => Promise<number> | number>>,
  rounds: number,
): Promise<Record<Name, number>> {
  const names = Object.keys(contestants) as Name[]
  const measured = new Map<Name, number[]>(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const name of names) measured.get(name)?.push(await contestants[name]())
  }
  return Object.fromEntries(names.map((name) => [name, median(measured.get(name) ?? [])])) as Record<
    Name,
    number
  >
}
