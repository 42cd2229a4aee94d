import { closeSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs'

/** A TCP socket that waits for connections. */
export interface Listener {
  /** As `0.0.0.0` or `2001:db8:0:0:0:0:0:1`. */
  readonly address: string
  readonly port: number
  readonly loopback: boolean
  /** Number of the socket, as in `/proc/<pid>/fd`. */
  readonly inode: string
}

const LISTEN = '0A'

/**
 * Parses `/proc/net/tcp` or `tcp6` (proc(5)). The kernel prints listening sockets first, so the first line in another
 * state ends the work: an edge with a hundred thousand connections costs nothing.
 */
export function parseListeners(text: string): {
  readonly listeners: readonly Listener[]
  readonly ended: boolean
} {
  const listeners: Listener[] = []
  for (const line of text.split('\n')) {
    const fields = line.trim().split(/\s+/)
    if (fields.length < 10 || fields[0] === 'sl') continue
    if (fields[3] !== LISTEN) return { listeners, ended: true }
    const listener = parseListener(fields[1] ?? '', fields[9] ?? '')
    if (listener !== undefined) listeners.push(listener)
  }
  return { listeners, ended: false }
}

function parseListener(local: string, inode: string): Listener | undefined {
  const [hex = '', portHex = ''] = local.split(':')
  const bytes = wordsToBytes(hex)
  const port = Number.parseInt(portHex, 16)
  if ((bytes.length !== 4 && bytes.length !== 16) || Number.isNaN(port)) return undefined
  return { address: sayAddress(bytes), port, loopback: isLoopback(bytes), inode }
}

/** The kernel prints addresses as 32-bit words in the machine's own byte order (little endian on all that we run on). */
function wordsToBytes(hex: string): readonly number[] {
  const words = hex.match(/.{8}/g) ?? []
  return words.flatMap((word) =>
    (word.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)).toReversed(),
  )
}

const isMapped = (bytes: readonly number[]): boolean =>
  bytes.length === 16 &&
  bytes.slice(0, 10).every((byte) => byte === 0) &&
  bytes[10] === 255 &&
  bytes[11] === 255

function isLoopback(bytes: readonly number[]): boolean {
  if (bytes.length === 4) return bytes[0] === 127
  if (isMapped(bytes)) return bytes[12] === 127
  return bytes.slice(0, 15).every((byte) => byte === 0) && bytes[15] === 1
}

function sayAddress(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.')
  if (isMapped(bytes)) return bytes.slice(12).join('.')
  if (bytes.every((byte) => byte === 0)) return '[::]'
  const words = Array.from({ length: 8 }, (_, index) =>
    (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16),
  )
  return `[${words.join(':')}]`
}

const CHUNK_BYTES = 64 * 1024
/** 4096 chunks of listening sockets would be two million of them. */
const MAX_CHUNKS = 64

function readListeners(file: string): readonly Listener[] {
  const listeners: Listener[] = []
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch {
    return listeners
  }
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES)
    let rest = ''
    for (let count = 0; count < MAX_CHUNKS; count++) {
      const sizeBytes = readSync(descriptor, chunk)
      const text = rest + chunk.toString('latin1', 0, sizeBytes)
      const end = sizeBytes === 0 ? text.length : text.lastIndexOf('\n') + 1
      const part = parseListeners(text.slice(0, end))
      listeners.push(...part.listeners)
      if (part.ended || sizeBytes === 0) break
      rest = text.slice(end)
    }
  } finally {
    closeSync(descriptor)
  }
  return listeners
}

/** All TCP sockets of this machine that wait for connections; empty where there is no `/proc`. */
export function machineListeners(): readonly Listener[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap(readListeners)
}

/** Inodes of the sockets that a process holds; empty when it is gone or not ours to look at. */
export function socketInodes(pid: number): ReadonlySet<string> {
  const inodes = new Set<string>()
  const directory = `/proc/${pid}/fd`
  for (const name of namesIn(directory)) {
    const inode = /^socket:\[(\d+)\]$/.exec(linkTarget(`${directory}/${name}`))?.[1]
    if (inode !== undefined) inodes.add(inode)
  }
  return inodes
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function linkTarget(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
