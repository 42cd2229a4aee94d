import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { closeFrame, FrameReader, frameStart } from './frames.ts'

interface Frame {
  readonly opcode: number
  readonly isFinal: boolean
  readonly isMasked: boolean
  readonly size: number
}

function encode({ opcode, isFinal, isMasked, size }: Frame): Buffer {
  const first = (isFinal ? 0x80 : 0) | opcode
  const mask = isMasked ? 0x80 : 0
  const payload = Buffer.alloc(size + (isMasked ? 4 : 0), 0x81)
  if (size < 126) return Buffer.concat([Buffer.from([first, mask | size]), payload])
  if (size < 65_536) return Buffer.concat([Buffer.from([first, mask | 126, size >> 8, size & 255]), payload])
  const length = Buffer.alloc(8)
  length.writeBigUInt64BE(BigInt(size))
  return Buffer.concat([Buffer.from([first, mask | 127]), length, payload])
}

/** Where frames begin in a stream that arrives in pieces. */
function starts(stream: Buffer, cuts: readonly number[]): number[] {
  const reader = new FrameReader()
  const found: number[] = []
  let from = 0
  for (const cut of [
    ...cuts.map((each) => each % (stream.length + 1)).sort((a, b) => a - b),
    stream.length,
  ]) {
    const chunk = stream.subarray(from, cut)
    for (let at = 0; at < chunk.length;) {
      if (reader.isAtStart) found.push(from + at)
      at = reader.read(chunk, at)
    }
    from = cut
  }
  return found
}

describe('frames', () => {
  test('are found wherever the stream is cut, whatever is in them', () => {
    const frame = fc.record({
      opcode: fc.constantFrom(0, 1, 2, 8, 9, 10),
      isFinal: fc.boolean(),
      isMasked: fc.boolean(),
      size: fc.oneof(fc.integer({ min: 0, max: 130 }), fc.constantFrom(125, 126, 65_535, 65_536, 70_000)),
    })
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (frames, cuts) => {
          const encoded = frames.map(encode)
          const expected = encoded.map((_, index) =>
            encoded.slice(0, index).reduce((sum, { length }) => sum + length, 0),
          )
          expect(starts(Buffer.concat(encoded), cuts)).toEqual(expected)
        },
      ),
    )
    const all = [1, 0, 9].map((opcode) => encode({ opcode, isFinal: true, isMasked: true, size: 130 }))
    const stream = Buffer.concat(all)
    expect(starts(stream, Array.from(stream.keys()))).toEqual([0, 138, 276])
  })

  test('are messages, parts of one, or control frames', () => {
    expect([0x81, 0x01, 0x82, 0x00, 0x80, 0x88, 0x89, 0x8a].map(frameStart)).toEqual([
      'message',
      'message',
      'message',
      'continuation',
      'continuation',
      'control',
      'control',
      'control',
    ])
  })

  test('a close frame says its code and reason, and fits into a control frame', () => {
    expect([...closeFrame(1008, 'no', false)]).toEqual([0x88, 4, 0x03, 0xf0, 0x6e, 0x6f])
    expect([...closeFrame(1008, '', true)]).toEqual([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xf0])
    expect(closeFrame(1008, 'x'.repeat(500), false)).toHaveLength(2 + 125)
  })
})
