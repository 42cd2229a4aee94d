import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { findProgram } from '../programs.ts'
import { freePort, until } from '../holdfast/index.ts'

/** A request as the parser of an origin's language took it. */
export interface Taken {
  /** Empty when the parser refused it. */
  readonly method: string
  readonly target: string
  readonly body: string
  /** Name and value; `error` when the parser complained. */
  readonly fields: readonly (readonly [name: string, value: string])[]
}

/** An origin in another language; it notes every request that it took. */
export interface ForeignOrigin {
  readonly url: string
  readonly port: number
  /** In the order in which they were taken. */
  readonly taken: Taken[]
  stop(): Promise<void>
}

/** The languages in which there is an origin. */
export type Language = 'python3' | 'go'

/** How an origin is started: once built, with a command. */
interface Built {
  readonly command: readonly string[]
  readonly clear: () => void
}

function build(language: Language): Built {
  const program = findProgram(language)
  if (program === null) throw new Error(`${language} is missing`)
  const source = (name: string): string => join(import.meta.dirname, name)
  if (language === 'python3') return { command: [program, source('origin.py')], clear: () => undefined }
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-go-'))
  const binary = join(directory, 'origin')
  const { status, stderr } = spawnSync(program, ['build', '-o', binary, source('origin.go')], {
    encoding: 'utf8',
    env: { ...process.env, GOCACHE: join(directory, 'cache'), GO111MODULE: 'off' },
  })
  if (status !== 0) throw new Error(stderr)
  return { command: [binary], clear: () => rmSync(directory, { recursive: true, force: true }) }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((done) => child.once('exit', done))
  child.kill('SIGKILL')
  await ended
}

/** Starts the origin of a language on a free port of loopback. */
export async function startForeignOrigin(language: Language): Promise<ForeignOrigin> {
  const { command, clear } = build(language)
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const [program = '', ...args] = command
  const child = spawn(program, args, {
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const taken: Taken[] = []
  createInterface({ input: child.stdout }).on('line', (line) => taken.push(JSON.parse(line) as Taken))
  await until(`the origin in ${language}`, async () => (await fetch(url)).ok)
  return {
    url,
    port,
    taken,
    stop: async () => {
      await end(child)
      clear()
    },
  }
}
