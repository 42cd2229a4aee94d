import { randomBytes } from 'node:crypto'

/** Randomness as a port. */
export interface Random {
  /** A float in [0, 1). */
  next(): number
  /** `length` random bytes. */
  bytes(length: number): Uint8Array
}

/** Cryptographically strong randomness of the machine. */
export const systemRandom: Random = {
  next: () => randomBytes(4).readUInt32LE() / 2 ** 32,
  bytes: (length) => new Uint8Array(randomBytes(length)),
}

/** A reproducible source for tests and simulations (mulberry32); never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return { next, bytes: (length) => Uint8Array.from({ length }, () => Math.floor(next() * 256)) }
}

/** A random token of `sizeBytes` bytes in base64url, for links, sessions and tokens. */
export function randomToken(random: Random, sizeBytes = 32): string {
  return Buffer.from(random.bytes(sizeBytes)).toString('base64url')
}
