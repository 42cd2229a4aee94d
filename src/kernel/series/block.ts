import { HoldfastError } from '../std/index.ts'
import type { Buckets, Cell } from './cell.ts'
import { bucketCount } from './histogram.ts'

/** A run of steps of one series, stored together: slot (0 to 59) to what was measured in that step. */
export type Block = Map<number, Cell>

const formatVersion = 1
const maxSlots = 60
const integerBound = 2 ** 51

/**
 * Writes a block as bytes: a version, the number of cells, then per cell its slot, count, sum, minimum, maximum
 * and buckets. Integers are LEB128, doubled; other numbers are the mark 1 and eight bytes (IEEE 754).
 * A cell of small integers takes about seven bytes.
 */
export function encodeBlock(block: Block): Uint8Array {
  const writer = createWriter()
  writer.integer(formatVersion)
  writer.integer(block.size)
  for (const [slot, cell] of [...block].sort(([a], [b]) => a - b)) {
    writer.integer(slot)
    for (const value of [cell.count, cell.sum, cell.minimum, cell.maximum]) writer.number(value)
    writeBuckets(writer, cell.buckets)
  }
  return writer.finish()
}

function writeBuckets(writer: Writer, buckets: Readonly<Buckets> | null): void {
  writer.integer(buckets === null ? 0 : buckets.length / 2 + 1)
  let previous = 0
  for (let place = 0; place < (buckets?.length ?? 0); place += 2) {
    const index = buckets?.[place] ?? 0
    writer.integer(index - previous)
    writer.number(buckets?.[place + 1] ?? 0)
    previous = index
  }
}

/** Reads what `encodeBlock` wrote. Errors: `series.corrupt`. */
export function decodeBlock(bytes: Uint8Array): Block {
  const reader = createReader(bytes)
  if (reader.integer(formatVersion + 1) !== formatVersion) throw damaged('an unknown format')
  const block: Block = new Map()
  const size = reader.integer(maxSlots + 1)
  for (let index = 0; index < size; index++) {
    const slot = reader.integer(maxSlots)
    const [count, sum, minimum, maximum] = [
      reader.number(),
      reader.number(),
      reader.number(),
      reader.number(),
    ]
    block.set(slot, { count, sum, minimum, maximum, buckets: readBuckets(reader) })
  }
  if (!reader.atEnd()) throw damaged('bytes left over')
  return block
}

function readBuckets(reader: Reader): Buckets | null {
  const mark = reader.integer(bucketCount + 2)
  if (mark === 0) return null
  const buckets: Buckets = []
  let index = 0
  for (let left = mark - 1; left > 0; left--) {
    index += reader.integer(bucketCount - index)
    buckets.push(index, reader.number())
  }
  return buckets
}

function damaged(what: string): HoldfastError {
  return new HoldfastError({
    code: 'series.corrupt',
    kind: 'operational',
    message: `a block of measurements is damaged: ${what}`,
    hint: 'Stop Holdfast and move the file of measurements away; facts are not in it and are untouched.',
  })
}

interface Writer {
  integer(value: number): void
  number(value: number): void
  finish(): Uint8Array
}

function createWriter(): Writer {
  let buffer = Buffer.allocUnsafe(256)
  let length = 0
  const reserve = (sizeBytes: number): void => {
    if (length + sizeBytes <= buffer.length) return
    const larger = Buffer.allocUnsafe(buffer.length * 2)
    buffer.copy(larger, 0, 0, length)
    buffer = larger
  }
  const integer = (value: number): void => {
    reserve(10)
    let rest = value
    for (; rest >= 128; rest = Math.floor(rest / 128)) buffer[length++] = (rest % 128) + 128
    buffer[length++] = rest
  }
  const number = (value: number): void => {
    if (Number.isInteger(value) && value >= 0 && value < integerBound) return integer(value * 2)
    integer(1)
    reserve(8)
    length = buffer.writeDoubleLE(value, length)
  }
  return { integer, number, finish: () => new Uint8Array(buffer.subarray(0, length)) }
}

interface Reader {
  /** An integer from 0 to below `bound`. */
  integer(bound: number): number
  number(): number
  atEnd(): boolean
}

function createReader(bytes: Uint8Array): Reader {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let offset = 0
  const integer = (bound: number): number => {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = view[offset++]
      if (byte === undefined || factor > integerBound) throw damaged('it ends too early')
      value += (byte % 128) * factor
      if (byte < 128) break
    }
    if (value >= bound) throw damaged(`${value} where less than ${bound} is possible`)
    return value
  }
  const double = (): number => {
    if (offset + 8 > view.length) throw damaged('it ends too early')
    offset += 8
    return view.readDoubleLE(offset - 8)
  }
  const number = (): number => {
    const doubled = integer(integerBound * 2)
    return doubled % 2 === 1 ? double() : doubled / 2
  }
  return { integer, number, atEnd: () => offset === view.length }
}
