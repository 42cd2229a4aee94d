import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const WINDOW_BYTES = 16 * 1024
const LINE_CHARACTERS = 400

/**
 * The last lines of a log, oldest first, at most `count`, each cut at 400 characters. `fromOffset` is where the
 * present life of its writer began; a log that is shorter than that has been rotated since. Empty when it is not there.
 */
export function lastLines(file: string, count: number, fromOffset = 0): readonly string[] {
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch {
    return []
  }
  try {
    const size = fstatSync(descriptor).size
    const lifeStart = fromOffset <= size ? fromOffset : 0
    const start = Math.max(lifeStart, size - WINDOW_BYTES)
    const bytes = Buffer.alloc(size - start)
    const sizeBytes = readSync(descriptor, bytes, 0, bytes.length, start)
    return toLines(bytes.toString('utf8', 0, sizeBytes), start > lifeStart, count)
  } finally {
    closeSync(descriptor)
  }
}

function toLines(text: string, firstIsCut: boolean, count: number): readonly string[] {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''))
  if (lines.at(-1) === '') lines.pop()
  return (firstIsCut && lines.length > 1 ? lines.slice(1) : lines)
    .slice(-count)
    .map((line) => (line.length > LINE_CHARACTERS ? `${line.slice(0, LINE_CHARACTERS)}…` : line))
}
