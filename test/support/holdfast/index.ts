import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createClient, type Client } from '../../../src/client/index.ts'

const root = resolve(import.meta.dirname, '../../..')
const main = join(root, 'src', 'cli', 'main.ts')

/** Below those that systems give to outgoing connections: what is free stays so while nobody listens for a moment. */
const ports = { least: 10_000, most: 32_767 }

function listens(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer()
    server.once('error', () => done(false))
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)))
  })
}

/** A free port of loopback, at the time of asking. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(ports.least, ports.most + 1)
    if (await listens(port)) return port
  }
}

/** What a run of the command line left. */
export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs `holdfast <args>` to its end in a directory. */
export function holdfast(directory: string, args: readonly string[]): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd: directory,
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { code: status, out: stdout, err: stderr }
}

function callHoldfast(directory: string, args: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => (said.out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (said.err += chunk.toString()))
  return new Promise((done) => child.on('close', (code) => done({ code, ...said })))
}

/** A running `holdfast up`. */
export interface Up {
  readonly process: ChildProcess
  /** Everything that it printed so far. */
  said(): string
  readonly ended: Promise<number | null>
}

/** A place of its own for an environment: a folder, two ports, and everything that was started there. */
export interface Place {
  readonly directory: string
  readonly data: string
  readonly edgePort: number
  readonly controlPort: number
  readonly edgeUrl: string
  write(file: string, text: string): void
  /**
   * Starts `holdfast up` (or `dev`), with variables beside our own and behind the words of another command (`setpriv`,
   * say), and resolves when its screen is shown, or when it ended.
   */
  up(
    args?: readonly string[],
    variables?: Readonly<Record<string, string>>,
    how?: { readonly command?: 'up' | 'dev'; readonly behind?: readonly string[] },
  ): Promise<Up>
  run(...args: string[]): Ran
  /** The same, while the test goes on. */
  call(...args: string[]): Promise<Ran>
  client(): Client
  /** Pid of control, edge or supervisor, as written in the data directory. */
  pidOf(name: 'control' | 'edge' | 'supervisor'): number
  /** Stops what still runs and removes the folder. */
  clear(): Promise<void>
}

interface Start {
  readonly args: readonly string[]
  readonly variables: Readonly<Record<string, string>>
  readonly behind: readonly string[]
}

function startUp(directory: string, { args, variables, behind }: Start): Up {
  const [program = '', ...words] = [...behind, process.execPath, main, ...args]
  const child = spawn(program, words, {
    cwd: directory,
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const ended = new Promise<number | null>((done) => child.on('close', (code) => done(code)))
  return { process: child, said: () => text, ended }
}

/** Fails with what it said when an `up` has ended, which should run. */
export function mustRun(up: Up): void {
  const { exitCode, signalCode } = up.process
  if (exitCode !== null || signalCode !== null) throw new Error(`it does not run: ${up.said()}`)
}

/** Waits until something holds; fails with what it was waiting for. */
export async function until(
  what: string,
  holds: () => Promise<boolean> | boolean,
  timeoutMs = 20_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    if (await Promise.resolve(holds()).catch(() => false)) return
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`)
    await new Promise((again) => setTimeout(again, 50))
  }
}

/** Makes a place in a folder of its own. */
export async function makePlace(): Promise<Place> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-e2e-'))
  const data = join(directory, '.holdfast')
  const [edgePort, controlPort] = [await freePort(), await freePort()]
  const started: Up[] = []
  const ports = ['--edge-port', String(edgePort), '--control-port', String(controlPort)]
  const json = (file: string): Record<string, unknown> =>
    JSON.parse(readFileSync(join(data, file), 'utf8')) as Record<string, unknown>
  return {
    directory,
    data,
    edgePort,
    controlPort,
    edgeUrl: `http://127.0.0.1:${edgePort}`,
    write: (file, text) => writeFileSync(join(directory, file), text),
    up: async (args = [], variables = {}, { command = 'up', behind = [] } = {}) => {
      const running = startUp(directory, { args: [command, ...ports, ...args], variables, behind })
      started.push(running)
      await Promise.race([
        until('the screen', () => running.said().includes('Ctrl-C stops everything'), 120_000),
        running.ended,
      ])
      return running
    },
    run: (...args) => holdfast(directory, args),
    call: (...args) => callHoldfast(directory, args),
    client: () =>
      createClient({
        url: `http://127.0.0.1:${controlPort}`,
        token: readFileSync(join(data, 'root.token'), 'utf8').trim(),
      }),
    pidOf: (name) => Number(json(`${name === 'edge' ? 'edge' : 'run'}/${name}.json`)['pid']),
    clear: async () => {
      holdfast(directory, ['down'])
      for (const { process: child, ended } of started) {
        child.kill('SIGKILL')
        await ended
      }
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
