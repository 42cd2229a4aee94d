import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../eventually.ts'
import type { Daemon } from './daemon.ts'

/** A registry of images that asks who one is. */
export interface Registry {
  /** As names of images begin: address and port. */
  readonly host: string
  /** A directory for DOCKER_CONFIG, as `docker login` leaves it. */
  readonly login: string
  stop(): Promise<void>
}

const user = 'ada'
const password = 'open sesame'
/** bcrypt of that. */
const passwordHash = '$2b$04$4VfybqQAWuNNnE9.2wlhRu.lnrGIDZji6XcZt.oPNBqymiNfHqS4m'
const port = 5000

const configOf = (directory: string, host: string): string => `version: 0.1
log: { level: error }
storage: { filesystem: { rootdirectory: ${join(directory, 'images')} } }
http: { addr: '${host}' }
auth: { htpasswd: { realm: test, path: ${join(directory, 'users')} } }
`

/** Starts a registry on this machine's end of the wire that the nodes are on. */
export async function startRegistry(program: string, { address }: Daemon): Promise<Registry> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-registry-'))
  const host = `${address.replace(/\.\d+$/, '.1')}:${port}`
  const at = (name: string): string => join(directory, name)
  const auth = Buffer.from(`${user}:${password}`).toString('base64')
  writeFileSync(at('users'), `${user}:${passwordHash}\n`)
  writeFileSync(at('config.yml'), configOf(directory, host))
  mkdirSync(at('login'))
  writeFileSync(at('login/config.json'), JSON.stringify({ auths: { [host]: { auth } } }))
  const child = spawn(program, ['serve', at('config.yml')], { stdio: 'ignore' })
  const gone = new Promise((resolve) => child.once('exit', resolve))
  const status = async (): Promise<number> => (await fetch(`http://${host}/v2/`)).status
  await eventually(
    () => status().catch(() => 0),
    (found) => found === 401,
    { what: 'the registry answers', timeoutMs: 30_000, pollMs: 50 },
  )
  return {
    host,
    login: at('login'),
    stop: async () => {
      child.kill('SIGKILL')
      await gone
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
