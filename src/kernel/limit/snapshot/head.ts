import { crc32 } from 'node:zlib'
import { LINE } from '../buffer.ts'

/** The first word of a snapshot. */
export const MAGIC = 0x484c5353
/** A line with the number of its limit or bucket before it. */
export const NUMBERED = LINE + 1

/** Word numbers in the head of a snapshot. */
export const head = {
  magic: 0,
  /** Of the table; whoever changes how it lies raises that. */
  version: 1,
  buckets: 2,
  seedCheck: 3,
  seedLow: 4,
  seedHigh: 5,
  /** A double. */
  savedAt: 6,
  records: 8,
  usedBuckets: 9,
  /** CRC-32 of everything else. */
  checksum: 10,
} as const

/** The head of a snapshot as doubles; of the head alone, for all of it need not be a whole number of them. */
export function doublesOf(saved: Int32Array<ArrayBuffer>): Float64Array {
  return new Float64Array(saved.buffer, 0, LINE / 2)
}

/** Of all words but the one that it is kept in. */
export function checksumOf(saved: Int32Array<ArrayBuffer>): number {
  const bytes = new Uint8Array(saved.buffer)
  const before = crc32(bytes.subarray(0, head.checksum * 4))
  return crc32(bytes.subarray((head.checksum + 1) * 4), before) | 0
}
