import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
  type Stats,
} from 'node:fs'
import { belongAsDirectory } from '../../files/index.ts'

/** How much of a log is kept. */
export interface RotationRule {
  /** A log that is larger is rotated, bytes. What it was copied to is at most `files` times that. */
  readonly sizeBytes: number
  /** Files in all, at least 3: `x.log`, `x.log.1` ... */
  readonly files: number
}

/** 16 MiB in each of five files. */
export const defaultRotation: RotationRule = { sizeBytes: 16 * 2 ** 20, files: 5 }

/** The unit of `stat.blocks` (POSIX, as Linux and macOS have it). */
const BLOCK_BYTES = 512
const CHUNK_BYTES = 2 ** 20
/** A writer that outruns the copy this often loses what it writes during the last one. */
const CATCH_UP_ROUNDS = 5
/** A log may have grown beyond its size before anybody looks: this many sizes of it are copied at most. */
const MOST_SIZES = 2

/**
 * Rotates a log that its writer keeps open: copies it to `<file>.1` (older ones move on, the oldest are dropped until
 * what is kept is within the rule) and truncates it; the writer appends (O_APPEND), so it goes on at the start without
 * knowing. What is written between the end of the copy and the truncation, some microseconds, is lost. Work is
 * bounded: at most twice the size is copied; what is left out of a log that grew faster is said in the copy. Throws
 * the system's error, with the log as it was, unless it has outgrown twice its size: then it is emptied all the same,
 * for a log that cannot be kept must not fill the disk.
 */
export function rotateLog(file: string, rule: RotationRule): void {
  const copy = `${file}.0`
  // First, so that there is room for the copy.
  rmSync(`${file}.${rule.files - 1}`, { force: true })
  try {
    copyAndTruncate(file, copy, rule)
  } catch (error) {
    if (sizeOf(file) > rule.sizeBytes * MOST_SIZES) truncateSync(file)
    rmSync(copy, { force: true })
    throw error
  }
  for (let index = rule.files - 2; index >= 0; index--) {
    if (sizeOf(`${file}.${index}`) >= 0) renameSync(`${file}.${index}`, `${file}.${index + 1}`)
  }
  dropOldest(file, rule)
}

/**
 * Bytes that count for the rule, -1 when there is no such file. A writer that does not append goes on where it was
 * after a truncation, behind a hole; the hole does not count.
 */
export function sizeOf(file: string): number {
  const found = statSync(file, { throwIfNoEntry: false })
  if (found === undefined) return -1
  if (found.blocks * BLOCK_BYTES >= found.size) return found.size
  const source = openSync(file, 'r')
  try {
    return found.size - holeBytes(source, found)
  } finally {
    closeSync(source)
  }
}

/** File systems that compress store less than the size too, but a log that begins with text has no hole. */
function holeBytes(source: number, found: Stats): number {
  const storedBytes = found.blocks * BLOCK_BYTES
  if (storedBytes >= found.size) return 0
  const start = Buffer.alloc(Math.min(4096, found.size))
  readSync(source, start, 0, start.length, 0)
  return start.every((byte) => byte === 0) ? found.size - storedBytes : 0
}

function dropOldest(file: string, rule: RotationRule): void {
  let keptBytes = 0
  for (let index = 1; index < rule.files; index++) {
    keptBytes += Math.max(0, sizeOf(`${file}.${index}`))
    if (index > 1 && keptBytes > rule.sizeBytes * rule.files) rmSync(`${file}.${index}`, { force: true })
  }
}

function copyAndTruncate(file: string, copy: string, rule: RotationRule): void {
  const mostBytes = rule.sizeBytes * MOST_SIZES
  const source = openSync(file, 'r+')
  const target = openSync(copy, 'w', 0o600)
  belongAsDirectory(target, copy)
  const sayLeftOut = (bytes: number, before: string): void => {
    if (bytes > 0)
      writeSync(target, `${before}[${bytes} bytes left out: the log grew faster than it is rotated]\n`)
  }
  try {
    const found = fstatSync(source)
    const hole = holeBytes(source, found)
    const leftOut = Math.max(0, found.size - hole - mostBytes)
    sayLeftOut(leftOut, '')
    const offset = hole + leftOut
    const end = copyGrowing({ source, target, offset, end: offset + mostBytes })
    const outrun = fstatSync(source).size - end
    ftruncateSync(source, 0)
    sayLeftOut(outrun, '\n')
  } finally {
    closeSync(source)
    closeSync(target)
  }
}

interface Span {
  readonly source: number
  readonly target: number
  readonly offset: number
  readonly end: number
}

/** Copies until it has caught up with the writer, or until the end of the span. Answers how far it came. */
function copyGrowing(span: Span): number {
  let { offset } = span
  for (let round = 0; round < CATCH_UP_ROUNDS && offset < span.end; round++) {
    const sizeBytes = fstatSync(span.source).size
    if (sizeBytes === offset) break
    offset = copyFrom({ ...span, offset, end: Math.min(span.end, sizeBytes) })
  }
  return offset
}

function copyFrom(span: Span): number {
  const chunk = Buffer.alloc(CHUNK_BYTES)
  let { offset } = span
  while (offset < span.end) {
    const sizeBytes = readSync(span.source, chunk, 0, Math.min(CHUNK_BYTES, span.end - offset), offset)
    if (sizeBytes === 0) break
    let written = 0
    while (written < sizeBytes) written += writeSync(span.target, chunk, written, sizeBytes - written)
    offset += sizeBytes
  }
  return offset
}
