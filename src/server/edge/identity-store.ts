import { mkdirSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { IdentityStore } from '../../capabilities/edge/data-plane/index.ts'
import type { Random } from '../../kernel/std/index.ts'
import { parseJson, readIfThere, replaceFile } from '../files/index.ts'

const mostBytes = 2 ** 20
const fetchTimeoutMs = 5000
const passportKeyBytes = 32

/** What the store works with. */
export interface IdentityStoreParts {
  readonly dataDirectory: string
  readonly random: Random
  readonly variables: Readonly<Record<string, string | undefined>>
  /** Says that something could not be kept. */
  readonly say: (message: string) => void
}

/**
 * Opens the store below a data directory: `edge/passport.key`, made when it is missing, and `edge/public-keys.json`,
 * what was fetched last; only their owner may read them. Errors: the system's.
 */
export function openIdentityStore(parts: IdentityStoreParts): IdentityStore {
  const directory = join(parts.dataDirectory, 'edge')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const keysFile = join(directory, 'public-keys.json')
  return {
    passportKey: readPassportKey(join(directory, 'passport.key'), parts),
    variable: (name) => parts.variables[name],
    read: readBounded,
    fetch: fetchBounded,
    remembered: (address) => {
      const known = parseJson(readIfThere(keysFile) ?? 'null') as { address?: unknown; text?: unknown } | null
      return known?.address === address && typeof known.text === 'string' ? known.text : null
    },
    remember: (address, text) => {
      try {
        replaceFile(keysFile, JSON.stringify({ address, text }), false)
      } catch (error) {
        parts.say(`${keysFile} could not be written: ${(error as Error).message}`)
      }
    },
  }
}

/** A key that cannot be kept serves until the process ends: then passports are earned anew. */
function readPassportKey(file: string, { random, say }: IdentityStoreParts): Uint8Array {
  try {
    const known = Buffer.from(readIfThere(file) ?? '', 'hex')
    if (known.length === passportKeyBytes) return new Uint8Array(known)
  } catch (error) {
    say(`${file} could not be read: ${(error as Error).message}`)
  }
  const key = random.bytes(passportKeyBytes)
  try {
    replaceFile(file, Buffer.from(key).toString('hex'), true)
  } catch (error) {
    say(`${file} could not be written: ${(error as Error).message}`)
  }
  return key
}

async function readBounded(file: string): Promise<string> {
  const { size } = await stat(file)
  if (size > mostBytes) throw new Error('it is larger than 1 MiB')
  return readFile(file, 'utf8')
}

async function fetchBounded(address: string): Promise<string> {
  const answer = await fetch(address, {
    redirect: 'error',
    signal: AbortSignal.timeout(fetchTimeoutMs),
    headers: { accept: 'application/json' },
  })
  if (!answer.ok) throw new Error(`it answers ${answer.status}`)
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of answer.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true })
    if (text.length > mostBytes) throw new Error('it is larger than 1 MiB')
  }
  return text + decoder.decode()
}
