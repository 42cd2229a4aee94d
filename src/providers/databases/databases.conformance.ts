import { spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort, until } from '../../../test/support/holdfast/index.ts'
import type { DatabaseProvider, ManagedDatabase } from '../../capabilities/environment/ports.ts'

/** What the suite is told of a kind of server. */
export interface ServerUnderTest {
  readonly provider: DatabaseProvider
  /** Names of databases in it; none: it has numbers. */
  readonly names: readonly string[]
  readonly settings: Readonly<Record<string, string>>
  /** Writes one more row or key with a URL, as a client of its own would, and answers with how many there are. */
  readonly write: (url: string) => Promise<number>
  /** Connects a client that does not go by itself, and answers with what ends it. */
  readonly hold: (url: string) => Promise<() => void>
}

interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  readonly said: () => string
}

const password = 'o\'d"d-p%ss_word\\'

function startServer(provider: DatabaseProvider, database: ManagedDatabase): Running {
  const { command, variables } = provider.start(database)
  const [program = '', ...args] = command
  const child = spawn(program, args, {
    cwd: '/',
    env: { PATH: process.env['PATH'], ...variables },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (text += String(chunk)))
  const ended = new Promise<Awaited<Running['ended']>>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  )
  return { child, ended, said: () => text }
}

/** What every provider of a database server promises; within a group that has its programs. */
export function testDatabaseServer({ provider, names, settings, write, hold }: ServerUnderTest): void {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-database-'))
  // Nobody but us may pass through it, as through the home of root.
  chmodSync(directory, 0o700)
  const shelf: { database?: ManagedDatabase; running?: Running } = {}
  const theDatabase = (): ManagedDatabase => {
    if (shelf.database === undefined) throw new Error('there is no database yet')
    return shelf.database
  }
  const start = async (): Promise<Running> => {
    const running = startServer(provider, theDatabase())
    shelf.running = running
    const isWell = async (): Promise<boolean> => (await provider.probe(theDatabase(), 2000)).healthy
    await until(`an answer; it said ${running.said()}`, isWell, 40_000).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${running.said()}`)
    })
    return running
  }
  const urls = (): readonly string[] =>
    (names.length === 0 ? ['0'] : names).map((name) => provider.url(theDatabase(), name))

  beforeAll(async () => {
    const [programs] = await provider.find()
    if (programs === undefined) throw new Error('its programs were not found')
    const { major, directory: place } = programs
    shelf.database = {
      name: 'main',
      place: join(directory, 'main', 'files'),
      port: await freePort(),
      major,
      programs: place,
      password: 'plain-password_1',
      adminPassword: 'another-password',
      names,
      settings,
    }
  })

  afterAll(async () => {
    shelf.running?.child.kill('SIGKILL')
    await shelf.running?.ended
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  })

  test('its programs are found, with their versions', async () => {
    const [programs] = await provider.find()
    expect(programs?.version).toMatch(/^\d+\.\d+/)
    expect(programs?.version.startsWith(`${programs.major}.`)).toBe(true)
    expect(provider.packageOf(programs?.major ?? null)).toMatch(/^[a-z-]+(-\d+)?$/)
  })

  test('is not well before it runs, and says why', async () => {
    expect(await provider.probe(theDatabase(), 2000)).toMatchObject({ healthy: false })
    expect((await provider.probe(theDatabase(), 2000)).detail).not.toBe('')
    expect(await provider.sizeBytes(theDatabase())).toBe(null)
    expect(await provider.missing(theDatabase())).toBe(null)
    await expect(provider.provision(theDatabase())).rejects.toMatchObject({
      code: 'environment.database-refuses',
    })
  })

  test('no password stands in its arguments', () => {
    const { command } = provider.start(theDatabase())
    const { password: ours, adminPassword } = theDatabase()
    expect(command.join(' ')).not.toContain(ours)
    expect(command.join(' ')).not.toContain(adminPassword)
    expect(provider.start(theDatabase())).toEqual(provider.start(theDatabase()))
  })

  test('is prepared and answers within seconds', { timeout: 60_000 }, async () => {
    const began = performance.now()
    await start()
    expect(performance.now() - began).toBeLessThan(40_000)
    process.stdout.write(`  fresh: ${Math.round(performance.now() - began)} ms\n`)
  })

  test('users and databases are made, once, and its URLs work', async () => {
    const absent = names.length === 0 ? [] : ['user main', ...names.map((name) => `database ${name}`)]
    expect(await provider.missing(theDatabase())).toEqual(absent)
    const version = await provider.provision(theDatabase())
    expect(await provider.missing(theDatabase())).toEqual([])
    expect(version).toBe((await provider.find())[0]?.version)
    expect(await provider.provision(theDatabase())).toBe(version)
    for (const url of urls()) expect(await write(url)).toBe(1)
    expect(await provider.sizeBytes(theDatabase())).toBeGreaterThan(0)
  })

  test('a wrong password is refused', async () => {
    const wrong = { ...theDatabase(), password }
    await expect(write(provider.url(wrong, names[0] ?? '0'))).rejects.toThrow()
  })

  test('keeps what it has over SIGKILL', { timeout: 60_000 }, async () => {
    const { running } = shelf
    running?.child.kill('SIGKILL')
    await running?.ended
    await start()
    for (const url of urls()) expect(await write(url)).toBe(2)
  })

  test('stops in order while clients hang on, and comes back', { timeout: 60_000 }, async () => {
    const { running } = shelf
    const release = await hold(urls()[0] ?? '')
    const { stopSignal = 'SIGTERM' } = provider.start(theDatabase())
    const began = performance.now()
    running?.child.kill(stopSignal)
    expect(await running?.ended).toEqual({ code: 0, signal: null })
    expect(performance.now() - began).toBeLessThan(10_000)
    release()
    await start()
    for (const url of urls()) expect(await write(url)).toBe(3)
  })

  test('data of another major version are not touched', { timeout: 60_000 }, async () => {
    const { running } = shelf
    running?.child.kill(provider.start(theDatabase()).stopSignal ?? 'SIGTERM')
    await running?.ended
    const other = startServer(provider, {
      ...theDatabase(),
      major: '1',
      programs: elsewhere(provider, theDatabase()),
    })
    expect((await other.ended).code).not.toBe(0)
    await start()
    for (const url of urls()) expect(await write(url)).toBe(4)
  })
}

/** A server that keeps its versions apart is told by the place of its programs which it is. */
function elsewhere(provider: DatabaseProvider, { programs, major }: ManagedDatabase): string {
  return provider.packageOf(major).endsWith(major) ? programs.replace(major, '1') : programs
}
