import { chmod, link, open, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, randomToken, systemCode, type Random } from '../../../kernel/std/index.ts'

const pattern = /^[A-Za-z0-9_-]{43}$/

async function readToken(path: string): Promise<string | null> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return null
    throw error
  })
  if (text === null) return null
  if (pattern.test(text.trim())) return text.trim()
  throw new HoldfastError({
    code: 'access.root-token-unreadable',
    kind: 'operational',
    message: `${path} holds no root token`,
    hint: 'remove the file; the next start writes a new one',
  })
}

/** Writes the file whole under another name first; `link` then fails when another start was quicker. */
async function writeToken(path: string, token: string, draft: string): Promise<void> {
  const handle = await open(draft, 'wx', 0o600)
  try {
    await handle.writeFile(`${token}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await link(draft, path).catch((error: unknown) => {
    if (systemCode(error) !== 'EEXIST') throw error
  })
  await unlink(draft)
}

/**
 * The root token of `<data>/root.token`: 256 bits in base64url, readable by the owner only; made when there is none.
 * Errors: `access.root-token-unreadable`.
 */
export async function ensureRootToken(dataDirectory: string, random: Random): Promise<string> {
  const path = join(dataDirectory, 'root.token')
  const kept = await readToken(path)
  if (kept === null) await writeToken(path, randomToken(random), `${path}.${randomToken(random, 6)}`)
  await chmod(path, 0o600)
  const token = kept ?? (await readToken(path))
  if (token === null) throw new Error(`${path} vanished`)
  return token
}
