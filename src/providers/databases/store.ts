import { chmod, lstat, mkdir, open, readdir, readFile, rename } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { DatabaseStore } from '../../capabilities/environment/ports.ts'
import { databaseRecord, type DatabaseRecord } from '../../contracts/environment/databases.ts'
import { HoldfastError, systemCode, type Random } from '../../kernel/std/index.ts'

/** Below those that replicas get (20,000 and up), so that the two never meet. */
const firstPort = 12_000
const portCount = 8000
const attempts = 200

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/** Whole or not at all, also after a power cut. */
async function writeWhole(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
}

/** Bytes of a file, or of all that is in a directory; what goes while we look counts nothing. */
async function bytesOf(path: string): Promise<number> {
  const found = await lstat(path).catch(ignoreGone)
  if (found === undefined) return 0
  if (!found.isDirectory()) return found.size
  const names = (await readdir(path).catch(ignoreGone)) ?? []
  let sum = 0
  for (const name of names) sum += await bytesOf(join(path, name))
  return sum
}

function ignoreGone(error: unknown): undefined {
  if (systemCode(error) === 'ENOENT') return undefined
  throw error
}

function parseRecord(path: string, text: string): DatabaseRecord {
  try {
    return databaseRecord.parse(JSON.parse(text))
  } catch {
    throw new HoldfastError({
      code: 'environment.database-record-unreadable',
      kind: 'operational',
      message: `the record of a database cannot be read: ${path}`,
      hint: 'bring it back from a backup; its data lie beside it and were not touched',
    })
  }
}

/** Databases as directories below an absolute one, which is made when the first database is. */
export function databaseDirectories(directory: string, random: Random): DatabaseStore {
  const recordOf = (database: string): string => join(directory, database, 'record.json')
  const read = async (database: string): Promise<DatabaseRecord | null> => {
    const text = await readFile(recordOf(database), 'utf8').catch(ignoreGone)
    return text === undefined ? null : parseRecord(recordOf(database), text)
  }
  const takenPorts = async (): Promise<ReadonlySet<number | null | undefined>> => {
    const names = (await readdir(directory).catch(ignoreGone)) ?? []
    return new Set((await Promise.all(names.map(read))).map((record) => record?.port))
  }
  return {
    placeOf: (database) => join(directory, database, 'files'),
    read,
    create: async (database, record) => {
      const around = join(directory, database)
      await mkdir(around, { recursive: true })
      // Others may pass through to what is theirs, and see nothing.
      for (const place of [directory, around]) await chmod(place, 0o711)
      await writeWhole(recordOf(database), JSON.stringify(record))
    },
    update: (database, record) => writeWhole(recordOf(database), JSON.stringify(record)),
    ensurePlace: async (database) =>
      void (await mkdir(join(directory, database, 'files'), { recursive: true, mode: 0o755 })),
    freePort: async (others) => {
      const taken = new Set([...(await takenPorts()), ...others])
      for (let attempt = 0; attempt < attempts; attempt++) {
        const port = firstPort + Math.floor(random.next() * portCount)
        if (!taken.has(port) && (await isFree(port))) return port
      }
      throw new Error(`no port between ${firstPort} and ${firstPort + portCount} is free`)
    },
    sizeBytes: (database) =>
      bytesOf(join(directory, database, 'files')).catch((error: unknown) => {
        if (systemCode(error) === 'EACCES') return null
        throw error
      }),
  }
}
