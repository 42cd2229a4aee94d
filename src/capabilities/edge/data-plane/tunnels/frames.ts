/** What begins with the first byte of a frame (RFC 6455, 5.2). */
export type FrameStart = 'message' | 'continuation' | 'control'

/** What a frame is, by its first byte: the continuation of a fragmented message has opcode 0. */
export function frameStart(firstByte: number): FrameStart {
  const opcode = firstByte & 0x0f
  if (opcode >= 8) return 'control'
  return opcode === 0 ? 'continuation' : 'message'
}

const maskBytes = 4

/** Finds where frames begin in a stream of bytes, however it is cut; looks at headers only. */
export class FrameReader {
  /** Bytes of the header that have been read; 0: a frame begins here. */
  #headerRead = 0
  #headerSize = 2
  #lengthEnd = 2
  #left = 0

  /** Whether the next byte is the first of a frame. */
  get isAtStart(): boolean {
    return this.#headerRead === 0
  }

  /** Reads on from `at`, up to where the next frame begins or to the end of the chunk; answers where it stopped. */
  read(chunk: Uint8Array, at: number): number {
    let index = at
    while (index < chunk.length && !this.#hasHeader()) this.#readHeader(chunk[index++] ?? 0)
    if (!this.#hasHeader()) return index
    const step = Math.min(this.#left, chunk.length - index)
    this.#left -= step
    index += step
    if (this.#left === 0) this.#headerRead = 0
    return index
  }

  #hasHeader(): boolean {
    return this.#headerRead > 0 && this.#headerRead === this.#headerSize
  }

  #readHeader(byte: number): void {
    const index = this.#headerRead++
    if (index === 0) {
      this.#headerSize = 2
      this.#left = 0
    } else if (index === 1) this.#readLength(byte)
    else if (index < this.#lengthEnd) this.#left = this.#left * 256 + byte
  }

  #readLength(byte: number): void {
    const length = byte & 0x7f
    this.#lengthEnd = length === 126 ? 4 : length === 127 ? 10 : 2
    this.#headerSize = this.#lengthEnd + (byte >= 0x80 ? maskBytes : 0)
    this.#left = length < 126 ? length : 0
  }
}

/** A close frame (RFC 6455, 5.5.1); one that goes to a server is masked, with a mask of zeros. */
export function closeFrame(code: number, reason: string, isMasked: boolean): Buffer {
  const text = Buffer.from(reason).subarray(0, 123)
  const payload = Buffer.alloc(2 + text.length)
  payload.writeUInt16BE(code)
  text.copy(payload, 2)
  const header = Buffer.from([0x88, payload.length + (isMasked ? 0x80 : 0)])
  return Buffer.concat(isMasked ? [header, Buffer.alloc(maskBytes), payload] : [header, payload])
}
