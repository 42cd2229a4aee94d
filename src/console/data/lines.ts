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

/** Fills the last page up and begins new ones. */
function fillPages<T>(pages: readonly LinePage<T>[], lastId: number, added: readonly T[]): LinePage<T>[] {
  const filled = [...pages]
  let id = lastId
  let rest = added
  while (rest.length > 0) {
    const last = filled.at(-1)
    const isOpen = last !== undefined && last.lines.length < pageLines
    const held = isOpen ? last.lines : []
    if (isOpen) filled.pop()
    else id++
    const room = pageLines - held.length
    filled.push({ id, lines: [...held, ...rest.slice(0, room)] })
    rest = rest.slice(room)
  }
  return filled
}

/** Adds lines at the end and lets the oldest pages go. The buffer itself is left as it is. */
export function addLines<T>(buffer: LineBuffer<T>, added: readonly T[], capacity = 5000): LineBuffer<T> {
  // A burst beyond the capacity leaves a hole before it, so what was held goes too.
  const held = added.length > capacity ? [] : buffer.pages
  const pages = fillPages(held, buffer.pages.at(-1)?.id ?? 0, added.slice(-capacity))
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
