/**
 * What is new in `burst`, the lines that a source repeats after a reconnection, given the `tail` already held:
 * the longest end of `tail` that occurs in `burst` is taken as known, with everything before it.
 */
export function afterOverlap(tail: readonly string[], burst: readonly string[]): readonly string[] {
  const last = tail.at(-1)
  if (last === undefined) return burst
  let best = { end: 0, length: 0 }
  for (let end = burst.length; end > 0; end--) {
    if (burst[end - 1] !== last) continue
    const length = commonEnd(tail, burst, end)
    if (length > best.length) best = { end, length }
  }
  return burst.slice(best.end)
}

function commonEnd(tail: readonly string[], burst: readonly string[], end: number): number {
  let length = 0
  while (length < Math.min(end, tail.length) && tail[tail.length - 1 - length] === burst[end - 1 - length]) {
    length++
  }
  return length
}
