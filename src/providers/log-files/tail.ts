import type { FileHandle } from 'node:fs/promises'
import type { LogTail } from '../../capabilities/environment/ports.ts'
import { blockBytes, longestLineBytes, readRange, withFile } from './read.ts'

/** However many lines are asked for, no more than this is read of one file. */
const mostTailBytes = 4 * 1024 * 1024
const newline = 10

function countNewlines(block: Buffer): number {
  let count = 0
  for (let at = block.indexOf(newline); at >= 0; at = block.indexOf(newline, at + 1)) count += 1
  return count
}

/** The end of the file with more than `lines` newlines in it, or as much as may be read. */
async function readEnd(handle: FileHandle, size: number, lines: number): Promise<Buffer> {
  const blocks: Buffer[] = []
  let from = size
  let newlines = 0
  while (from > 0 && newlines <= lines && size - from < mostTailBytes) {
    const start = Math.max(0, from - blockBytes)
    const block = await readRange(handle, start, from)
    newlines += countNewlines(block)
    blocks.unshift(block)
    from = start
  }
  return Buffer.concat(blocks)
}

/** Where a character begins: reading may have begun in the middle of one. */
function characterStart(text: Buffer): number {
  const isRest = (byte: number | undefined): boolean =>
    byte !== undefined && (byte & 0b1100_0000) === 0b1000_0000
  let start = 0
  while (start < 3 && isRest(text[start])) start += 1
  return start
}

/** The end of a line that is too long: what it says last. */
function cut(line: Buffer): string {
  const end = line.subarray(Math.max(0, line.length - longestLineBytes))
  return end.subarray(characterStart(end)).toString('utf8')
}

function lastLines(text: Buffer, lines: number): readonly string[] {
  const found: string[] = []
  let end = text.at(-1) === newline ? text.length - 1 : text.length
  while (found.length < lines && text.length > 0) {
    const before = end === 0 ? -1 : text.lastIndexOf(newline, end - 1)
    found.push(cut(text.subarray(before + 1, end)))
    if (before < 0) break
    end = before
  }
  return found.toReversed()
}

async function tailOne(file: string, lines: number): Promise<LogTail> {
  const found = await withFile(file, async (handle): Promise<LogTail> => {
    const { size } = await handle.stat()
    return { lines: lastLines(await readEnd(handle, size, lines), lines), end: size }
  })
  return found ?? { lines: [], end: 0 }
}

/** The last lines of a log; when it was rotated a moment ago, also of `<file>.1`. */
export async function tail(file: string, lines: number): Promise<LogTail> {
  const newest = await tailOne(file, lines)
  const missing = lines - newest.lines.length
  if (missing <= 0) return newest
  const older = await tailOne(`${file}.1`, missing)
  return { lines: [...older.lines, ...newest.lines], end: newest.end }
}
