import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'

/** How much of a log is kept. */
export interface RotationRule {
  /** A log that is larger is rotated, bytes. */
  readonly sizeBytes: number
  /** Files in all: `x.log`, `x.log.1` ... */
  readonly files: number
}

/** 16 MiB in each of five files. */
export const defaultRotation: RotationRule = { sizeBytes: 16 * 2 ** 20, files: 5 }

const CHUNK_BYTES = 2 ** 20
/** A writer that outruns the copy this often loses what it writes during the last one. */
const CATCH_UP_ROUNDS = 5

/**
 * Rotates a log that its writer keeps open: copies it to `<file>.1` (older ones move on, the oldest is dropped) and
 * truncates it; the writer appends (O_APPEND), so it goes on at the start without knowing. What is written between
 * the end of the copy and the truncation, some microseconds, is lost. Work is bounded: of a log that has outgrown
 * four times the size only the newest part of that length is copied. Answers whether it rotated; throws the system's
 * error, with the log as it was.
 */
export function rotateLog(file: string, rule: RotationRule): boolean {
  if (sizeOf(file) <= rule.sizeBytes) return false
  const copy = `${file}.0`
  // First, so that there is room for the copy.
  rmSync(`${file}.${rule.files - 1}`, { force: true })
  try {
    copyAndTruncate(file, copy, rule)
  } catch (error) {
    rmSync(copy, { force: true })
    throw error
  }
  for (let index = rule.files - 2; index >= 0; index--) {
    if (sizeOf(`${file}.${index}`) >= 0) renameSync(`${file}.${index}`, `${file}.${index + 1}`)
  }
  return true
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? -1
}

function copyAndTruncate(file: string, copy: string, rule: RotationRule): void {
  const source = openSync(file, 'r+')
  const target = openSync(copy, 'w', 0o600)
  try {
    const mostBytes = rule.sizeBytes * 4
    const skipped = Math.max(0, fstatSync(source).size - mostBytes)
    if (skipped > 0)
      writeSync(target, `[${skipped} bytes left out: the log grew faster than it is rotated]\n`)
    let offset = skipped
    for (let round = 0; round < CATCH_UP_ROUNDS && offset < skipped + mostBytes; round++) {
      offset = copyFrom({ source, target, offset, end: fstatSync(source).size })
      if (fstatSync(source).size === offset) break
    }
    ftruncateSync(source, 0)
  } finally {
    closeSync(source)
    closeSync(target)
  }
}

function copyFrom(span: { source: number; target: number; offset: number; end: number }): number {
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
