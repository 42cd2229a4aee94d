import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isCompiled } from '../../../test/support/compiled.ts'
import { createClient, type Client } from '../../client/index.ts'
import type { Job } from '../../contracts/index.ts'
import { snapshotEveryMs } from '../../kernel/limit/index.ts'
import { systemClock } from '../../kernel/std/index.ts'

const script = join(import.meta.dirname, '../../../test/support/control/main.ts')

interface Started {
  readonly child: ChildProcess
  readonly output: () => string
  readonly exited: Promise<number | null>
}

let directory = ''
const children: Started[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-control-'))
})

afterEach(async () => {
  for (const { child, exited } of children.splice(0)) {
    child.kill('SIGKILL')
    await exited
  }
  await rm(directory, { recursive: true, force: true })
})

interface Inherited {
  readonly fd: number
  readonly twice: true
}

async function readRun(): Promise<{ pid: number; url: string } | undefined> {
  const text = await readFile(join(directory, 'run', 'control.json'), 'utf8').catch(() => null)
  return text === null ? undefined : (JSON.parse(text) as { pid: number; url: string })
}

function start(plan: object = { host: '127.0.0.1', port: 0 }, inherited?: Inherited): Started {
  const once = [process.execPath, script]
  const [program = '', ...rest] =
    inherited === undefined ? once : ['sh', '-c', '"$1" "$2"; exec "$1" "$2"', 'sh', ...once]
  const child = spawn(program, rest, {
    env: {
      ...process.env,
      HOLDFAST_DATA: directory,
      HOLDFAST_CONTROL: JSON.stringify(plan),
      NODE_COMPILE_CACHE: join(directory, 'compiled'),
    },
    stdio: ['ignore', 'pipe', 'pipe', ...(inherited === undefined ? [] : [inherited.fd])],
  })
  let output = ''
  child.stdout?.on('data', (data: Buffer) => (output += data.toString()))
  child.stderr?.on('data', (data: Buffer) => (output += data.toString()))
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const started = { child, output: () => output, exited }
  children.push(started)
  return started
}

async function until<T>(look: () => Promise<T | undefined> | T | undefined, what: string): Promise<T> {
  for (let tries = 0; tries < 600; tries++) {
    const found = await look()
    if (found !== undefined) return found
    await systemClock.sleep(25)
  }
  throw new Error(`${what} did not happen`)
}

async function connect({ child, output }: Started): Promise<Client> {
  const run = await until(async () => {
    if (child.exitCode !== null) throw new Error(output())
    const found = await readRun()
    return found?.pid === child.pid ? found?.url : undefined
  }, 'control.json')
  return createClient({ url: run, token: (await readFile(join(directory, 'root.token'), 'utf8')).trim() })
}

const anyJob = async (client: Client, input: object, idempotencyKey?: string): Promise<Job> => {
  const answer = await client.any('test.work', input, { idempotencyKey })
  if (answer.kind !== 'job') throw new Error('no job')
  return answer.job
}

describe('the process', () => {
  test('writes a root token for the owner only, keeps it, and ends in order', async () => {
    const first = start()
    const client = await connect(first)
    expect(await client.call('access.whoami', {})).toEqual({ actor: 'root', role: 'administer' })
    expect((await stat(join(directory, 'root.token'))).mode & 0o777).toBe(0o600)
    const token = await readFile(join(directory, 'root.token'), 'utf8')
    expect(Buffer.from(token.trim(), 'base64url')).toHaveLength(32)
    first.child.kill('SIGTERM')
    expect(await first.exited).toBe(0)
    await expect(readFile(join(directory, 'run', 'control.json'))).rejects.toThrow('ENOENT')
    await connect(start())
    expect(await readFile(join(directory, 'root.token'), 'utf8')).toBe(token)
  })

  test('its compiled code is kept although it never ends in order: that of its threads too', async () => {
    await connect(start())
    for (const words of ['const answerPatienceMs', 'function createStaging']) {
      const isKept = (): true | undefined => isCompiled(join(directory, 'compiled'), words) || undefined
      expect(await until(isKept, `keeping ${words}`)).toBe(true)
    }
  })

  test('serves an inherited socket, and what queued while it was dead', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { fd } = (server as unknown as { _handle: { fd: number } })._handle
    const { port } = server.address() as { port: number }
    // A shell holds the socket without accepting, as the supervisor does, and starts control twice.
    const shell = start({ host: '127.0.0.1', port, descriptor: 3 }, { fd, twice: true })
    await new Promise((resolve) => server.close(resolve))
    const first = await until(readRun, 'the first control')
    expect(first.url).toBe(`http://127.0.0.1:${port}`)
    const token = (await readFile(join(directory, 'root.token'), 'utf8')).trim()
    const client = createClient({ url: first.url, token })
    expect(await client.call('access.whoami', {})).toMatchObject({ actor: 'root' })
    process.kill(first.pid, 'SIGKILL')
    expect(await client.call('access.whoami', {})).toMatchObject({ actor: 'root' })
    const second = await until(async () => {
      const run = await readRun()
      return run?.pid === first.pid ? undefined : run
    }, 'the second control')
    expect(second.url).toBe(first.url)
    process.kill(second.pid, 'SIGKILL')
    await shell.exited
  })

  test.each(['SIGKILL', 'SIGTERM'] as const)('limits are as used after %s as before', async (signal) => {
    const first = start()
    const client = await connect(first)
    const change = (house: Client): Promise<unknown> => house.any('test.change', { what: 'it' })
    for (let turn = 0; turn < 5; turn++) await change(client)
    await expect(change(client)).rejects.toMatchObject({ code: 'limit.refused' })
    // Killed before they are written they would be lost, as the README says.
    if (signal === 'SIGKILL') await systemClock.sleep(2 * snapshotEveryMs + 200)
    first.child.kill(signal)
    await first.exited
    expect((await stat(join(directory, 'control.limits'))).mode & 0o777).toBe(0o600)
    await expect(change(await connect(start()))).rejects.toMatchObject({ code: 'limit.refused' })
  })

  test('a damaged file of limits is said and ignored', async () => {
    await writeFile(join(directory, 'control.limits'), 'not limits')
    const control = start()
    expect(await (await connect(control)).call('access.whoami', {})).toMatchObject({ actor: 'root' })
    expect(control.output()).toContain('the limits of calls begin anew')
  })

  test('a job goes on after kill -9 with the step that was not done', async () => {
    const first = start()
    const client = await connect(first)
    const job = await anyJob(client, { what: 'wait' }, 'once')
    await until(
      async () => ((await client.call('jobs.get', { job: job.id })).says === 'second' ? true : undefined),
      'the second step',
    )
    expect(first.output()).toContain('seen first')
    first.child.kill('SIGKILL')
    await first.exited
    const second = start()
    const again = await connect(second)
    const resumed = await until(async () => {
      const found = await again.call('jobs.get', { job: job.id })
      return found.attempts === 2 && found.says === 'second' ? found : undefined
    }, 'the second attempt')
    expect(resumed.state).toBe('running')
    expect(second.output()).not.toContain('seen first')
    expect(await anyJob(again, { what: 'wait' }, 'once')).toMatchObject({ id: job.id })
    const { facts } = await again.call('timeline.read', { kind: 'jobs.step-done' })
    expect(facts).toHaveLength(1)
    await again.call('jobs.cancel', { job: job.id })
    const ended = await until(async () => {
      const found = await again.call('jobs.get', { job: job.id })
      return found.endedAt === null ? undefined : found
    }, 'the end')
    expect(ended.state).toBe('cancelled')
  })

  test('a job whose second step was interrupted by kill -9 has its result', async () => {
    const first = start()
    const client = await connect(first)
    const job = await anyJob(client, { what: 'pause' })
    await until(() => (first.output().includes('seen second begins') ? true : undefined), 'the second step')
    first.child.kill('SIGKILL')
    await first.exited
    const second = start()
    const again = await connect(second)
    const seen: Job[] = []
    for await (const look of again.follow(job.id)) seen.push(look)
    expect(seen.at(-1)).toMatchObject({ state: 'done', attempts: 2 })
    expect(seen.at(-1)?.result).toEqual({ first: 'pause 1', second: 'pause 2' })
    expect(second.output()).not.toContain('seen first')
  })

  test('tokens survive kill -9, and everything acknowledged is on the timeline', async () => {
    const first = start()
    const client = await connect(first)
    const { token } = await client.call('access.create-token', { name: 'ci', role: 'view' })
    first.child.kill('SIGKILL')
    await first.exited
    await connect(start())
    const { url } = JSON.parse(await readFile(join(directory, 'run', 'control.json'), 'utf8')) as {
      url: string
    }
    const program = createClient({ url, token })
    expect(await program.call('access.whoami', {})).toEqual({ actor: 'token:ci', role: 'view' })
  })

  test('an operation can end it in order', async () => {
    const started = start()
    await connect(started)
    started.child.kill('SIGUSR2')
    expect(await started.exited).toBe(0)
  })

  test('refuses to listen beyond loopback without a certificate', async () => {
    const started = start({ host: '0.0.0.0', port: 0 })
    expect(await started.exited).toBe(1)
    expect(started.output()).toContain('control.tls-required')
  })

  test('says what is missing', async () => {
    const started = start({ host: 7 })
    expect(await started.exited).toBe(1)
    expect(started.output()).toContain('configuration.invalid')
  })
})
