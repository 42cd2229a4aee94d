/** Keeps texts beyond Latin-1, which are hashed by their UTF-16 bytes, apart from all others. */
const WIDE = 0xee
const FINAL_ROUNDS = 3

/** Both lanes together fit a whole number in a double: 32 + 21 bits. */
const HIGH_MASK = 0x1fffff

/**
 * A keyed hash of short texts into two lanes (32 and 21 bits), left in `low` and `high` so that nothing is allocated.
 * The rounds are HalfSipHash-1-3 (SipHash of Aumasson and Bernstein on 32-bit words, as Linux uses it for its
 * hash tables), but both lanes come out of one finalisation. Without the seed nobody can choose keys that collide.
 */
export class KeyedHash {
  low = 0
  high = 0
  declare private readonly seedLow: number
  declare private readonly seedHigh: number

  /** Two random 32-bit numbers; all threads that share a table need the same two. */
  constructor(seed: readonly [number, number]) {
    this.seedLow = seed[0] | 0
    this.seedHigh = seed[1] | 0
  }

  /** Hashes a text of any length; four Latin-1 characters take a round. */
  text(text: string): void {
    if (this.absorb(text, 0) > 0xff) this.absorb(Buffer.from(text, 'utf16le').toString('latin1'), WIDE)
  }

  /** Hashes bytes, as an address in binary form; equal to the text of the same Latin-1 characters. */
  bytes(bytes: Uint8Array): void {
    this.absorb(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'), 0)
  }

  /** Returns all character codes seen, or-ed together. The round stands twice since a call would double the time. */
  private absorb(text: string, domain: number): number {
    let v0 = this.seedLow
    let v1 = this.seedHigh ^ domain
    let v2 = 0x6c796765 ^ v0
    let v3 = 0x74656462 ^ v1
    const whole = text.length & ~3
    let seen = 0
    for (let index = 0; index < whole; index += 4) {
      const a = text.charCodeAt(index)
      const b = text.charCodeAt(index + 1)
      const c = text.charCodeAt(index + 2)
      const d = text.charCodeAt(index + 3)
      const word = a | (b << 8) | (c << 16) | (d << 24)
      seen |= a | b | c | d
      v3 ^= word
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
      v0 ^= word
    }
    let last = text.length << 24
    for (let index = whole; index < text.length; index++) {
      const code = text.charCodeAt(index)
      seen |= code
      last |= code << ((index & 3) << 3)
    }
    v3 ^= last
    // The first of these rounds takes in the last word; the others finish.
    let mark = 0xff
    for (let round = 0; round <= FINAL_ROUNDS; round++) {
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
      v0 ^= last
      v2 ^= mark
      last = 0
      mark = 0
    }
    this.low = v1 ^ v3
    this.high = (v0 ^ v2) & HIGH_MASK
    return seen
  }
}

/** Tells tables of different seeds apart, and does not reveal the seed. */
export function seedCheckOf(seed: readonly [number, number]): number {
  const hash = new KeyedHash(seed)
  hash.text('seed')
  return hash.low
}
