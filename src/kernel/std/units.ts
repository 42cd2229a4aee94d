const DURATION_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  min: 60_000,
  m: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
  w: 604_800_000,
  week: 604_800_000,
}

/** Parses `250ms`, `10s`, `5min`, `1h`, `7d`, `2w` into milliseconds; undefined when it is none of these. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|hour|d|day|w|week)$/.exec(text.trim())
  const unitMs = DURATION_MS[match?.[2] ?? '']
  return match === null || unitMs === undefined ? undefined : Number(match[1]) * unitMs
}

/** Prints milliseconds in the largest unit that divides them: 90000 is `90s`, 3600000 is `1h`. */
export function formatDuration(durationMs: number): string {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1000],
  ] as const
  const unit = units.find(([, unitMs]) => durationMs >= unitMs && durationMs % unitMs === 0)
  return unit === undefined ? `${durationMs}ms` : `${durationMs / unit[1]}${unit[0]}`
}

/** Says a duration as a person would: `412 ms`, `3.2 s`, `5 min`, `2 h`, `3 days`. */
export function sayDuration(durationMs: number): string {
  if (durationMs < 1000) return `${Math.round(durationMs)} ms`
  if (durationMs < 10_000) return `${(durationMs / 1000).toFixed(1)} s`
  if (durationMs < 120_000) return `${Math.round(durationMs / 1000)} s`
  if (durationMs < 7_200_000) return `${Math.round(durationMs / 60_000)} min`
  if (durationMs < 172_800_000) return `${Math.round(durationMs / 3_600_000)} h`
  return `${Math.round(durationMs / 86_400_000)} days`
}

const SIZE_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
}

/** Parses `512KiB`, `10MiB`, `2GiB` into bytes; undefined when it is none of these. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB|TiB)$/.exec(text.trim())
  const unitBytes = SIZE_BYTES[match?.[2] ?? '']
  return match === null || unitBytes === undefined ? undefined : Math.round(Number(match[1]) * unitBytes)
}

/** Says a size as a person would: `412 B`, `3.2 MiB`. */
export function saySize(sizeBytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = sizeBytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}
