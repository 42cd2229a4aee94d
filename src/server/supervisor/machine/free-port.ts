import { createHash } from 'node:crypto'
import { createServer } from 'node:net'

/** Below Linux's range for outgoing connections (32768 and up), so that none of those takes it between two lives. */
const FIRST_PORT = 20_000
const PORT_COUNT = 12_000
const ATTEMPTS = 200

/** Whether a port on 127.0.0.1 can be listened on. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/**
 * A free port on 127.0.0.1 that `taken` does not hold. The search starts at a place that `name` decides, so that a
 * slot usually gets the same one again. Undefined when there is none among the first 200.
 */
export async function findFreePort(name: string, taken: ReadonlySet<number>): Promise<number | undefined> {
  const start = createHash('sha256').update(name).digest().readUInt32BE() % PORT_COUNT
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = FIRST_PORT + ((start + attempt) % PORT_COUNT)
    if (!taken.has(port) && (await isFree(port))) return port
  }
  return undefined
}
