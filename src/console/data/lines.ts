/** A page of lines; only the last page of a buffer ever changes, so that a view redraws little. */
export interface LinePage<T> {
  readonly id: number
  readonly lines: readonly T[]
}

/** The newest lines of something that goes on, at most `capacity` of them (rounded up to whole pages). */
export interface LineBuffer<T> {
  readonly pages: readonly LinePage<T>[]
  readonly count: number
}

const pageLines = 200

/** A buffer without a line. */
export const noLines: LineBuffer<never> = { pages: [], count: 0 }

/** Adds lines at the end and lets the oldest pages go. The buffer itself is left as it is. */
export function addLines<T>(buffer: LineBuffer<T>, added: readonly T[], capacity = 5000): LineBuffer<T> {
  // A burst beyond the capacity leaves a hole before it, so what was held goes too.
  const pages = added.length > capacity ? [] : [...buffer.pages]
  let lastId = buffer.pages.at(-1)?.id ?? 0
  let rest = added.slice(-capacity)
  while (rest.length > 0) {
    const last = pages.at(-1)
    const open = last !== undefined && last.lines.length < pageLines ? last : undefined
    const room = pageLines - (open?.lines.length ?? 0)
    const page = {
      id: open?.id ?? ++lastId,
      lines: [...(open?.lines ?? []), ...rest.slice(0, room)],
    }
    pages.splice(open === undefined ? pages.length : pages.length - 1, 1, page)
    rest = rest.slice(room)
  }
  const kept = pages.slice(-Math.ceil(capacity / pageLines) - 1)
  return { pages: kept, count: kept.reduce((sum, page) => sum + page.lines.length, 0) }
}

/** The last `count` lines, oldest first. */
export function lastLines<T>(buffer: LineBuffer<T>, count: number): readonly T[] {
  return buffer.pages
    .slice(-Math.ceil(count / pageLines) - 1)
    .flatMap((page) => page.lines)
    .slice(-count)
}
