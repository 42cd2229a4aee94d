import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ReplicaSpec, SupervisorEvent } from '../../src/contracts/supervisor.ts'
import {
  endLeftovers,
  isRunning,
  stopSupervisor,
  supervisorScript,
} from '../../src/server/supervisor/index.ts'
import { machineProcesses } from '../../src/server/supervisor/machine/process-table.ts'
import { ask, askUntilUp, fillUp, groupsOf, untilLogged } from '../support/supervisor/probes.ts'
import { createHouse, eventually, lives, replica, type House } from '../support/supervisor/house.ts'

const linux = process.platform === 'linux'
const root = process.getuid?.() === 0

let house: House
beforeEach(() => {
  house = createHouse()
})
afterEach(() => house.clean())

const assigned = { port: { assigned: true } as const }
const running = (status: { state: string }): boolean => status.state === 'running'

async function seen(what: SupervisorEvent['what'], subject: string, count = 1): Promise<SupervisorEvent> {
  const events = await eventually(
    () => house.allEvents(),
    (all) => all.filter((event) => event.what === what && event.subject === subject).length >= count,
    `${count} x ${what} of ${subject}`,
  )
  const found = events.filter((event) => event.what === what && event.subject === subject)[count - 1]
  if (found === undefined) throw new Error('unreachable')
  return found
}

test('a replica is told HOST and PORT, gets its own environment and inherits no descriptor of ours', async () => {
  await house.start()
  const variables = { PATH: process.env['PATH'] ?? '', GREETING: 'hello' }
  await house.engine.put({ replicas: [replica('web/1', ['serve'], { ...assigned, variables })] })
  const status = await house.until('web/1', running, 'runs')
  const told = JSON.parse(await askUntilUp(status.port)) as {
    pid: number
    variables: Record<string, string>
    inherited: string[]
  }
  expect(told.pid).toBe(status.pid)
  expect(told.variables).toMatchObject({ HOST: '127.0.0.1', PORT: String(status.port), GREETING: 'hello' })
  expect(Object.keys(told.variables).sort()).toEqual([
    'GREETING',
    'HOLDFAST_RELEASE',
    'HOLDFAST_REPLICA',
    'HOST',
    'PATH',
    'PORT',
    'PWD',
  ])
  // A session of its own: neither Ctrl-C nor a closed terminal reaches it.
  expect(!linux || machineProcesses().read(told.pid)?.session === told.pid).toBe(true)
  expect(told.inherited.filter((name) => name.startsWith('socket:'))).toEqual([])
  expect(readFileSync(status.logFile, 'utf8')).toContain('listening')
  expect(statSync(status.logFile).mode & 0o077).toBe(0)
  expect(statSync(join(house.data, 'run', 'supervisor.sock')).mode & 0o077).toBe(0)
})

test('the same wish changes nothing, another specification replaces, what is not named is stopped', async () => {
  await house.start()
  const first = replica('web/1', ['serve'], assigned)
  const second = replica('web/2', ['idle'])
  await house.engine.put({ replicas: [first, second] })
  const before = await house.until('web/1', running, 'runs')
  const other = await house.until('web/2', running, 'runs')
  const again = await house.engine.put({ replicas: [first, second] })
  expect(again.replicas.map(({ pid }) => pid)).toEqual([before.pid, other.pid])
  await house.engine.put({ replicas: [{ ...first, variables: { ...first.variables, NEW: '1' } }] })
  const after = await house.until(
    'web/1',
    (status) => running(status) && status.pid !== before.pid,
    'is replaced',
  )
  expect(after.port).toBe(before.port)
  expect(after.specHash).not.toBe(before.specHash)
  await eventually(
    () => house.engine.status(),
    (status) => status.replicas.length === 1,
    'web/2 is gone',
  )
  expect(lives(other.pid ?? 0)).toBe(false)
  expect(lives(before.pid ?? 0)).toBe(false)
})

test('one that crashes is restarted with back-off, then left down with its last lines; a restart revives it', async () => {
  await house.start()
  await house.engine.put({ replicas: [replica('bad/1', ['crash'])] })
  const loop = await seen('replica-crash-looped', 'bad/1')
  const crashes = (await house.allEvents()).filter((event) => event.what === 'replica-crashed')
  expect(crashes.map((event) => event.restartInMs)).toEqual([500, 1000, 2000, 4000])
  expect(loop.restartInMs).toBeNull()
  expect(loop.detail).toMatch(/^ended with code 3; that was crash 5 within \d+ s: it is left down$/)
  expect(loop.lastLines).toEqual(Array.from({ length: 20 }, (_, index) => `line ${index + 6}`))
  expect(await house.replica('bad/1')).toMatchObject({ state: 'crash-looped', pid: null, restarts: 4 })
  await house.engine.restart('bad/1')
  expect((await seen('replica-crashed', 'bad/1', 5)).restartInMs).toBe(500)
})

test('a command that cannot be started is left down at once', async () => {
  await house.start()
  const wrong = { ...replica('bad/1', []), command: ['nod', 'x'] }
  const lost = { ...replica('bad/2', ['idle']), directory: '/nowhere' }
  await house.engine.put({ replicas: [wrong, lost] })
  expect((await seen('replica-unstartable', 'bad/1')).detail).toBe('no such program: nod (looked in PATH)')
  expect((await seen('replica-unstartable', 'bad/2')).detail).toBe('no such directory: /nowhere')
  expect((await house.replica('bad/1')).state).toBe('crash-looped')
})

test.runIf(linux)('one that listens beyond loopback is stopped, unless that is waived', async () => {
  await house.start()
  const waived = replica('open/2', ['expose'], { mayExpose: true })
  await house.engine.put({
    replicas: [replica('open/1', ['expose']), waived, replica('web/1', ['serve'], assigned)],
  })
  const event = await seen('replica-exposed', 'open/1')
  expect(event.detail).toMatch(/^listens on 0\.0\.0\.0:\d+/)
  await house.until('open/1', (status) => status.state === 'exposed' && status.pid === null, 'is stopped')
  expect((await house.replica('open/2')).state).toBe('running')
  expect((await house.replica('web/1')).state).toBe('running')
  expect(lives(event.pid ?? 0)).toBe(false)
})

test('one that is told to stop may end in its own way; one that does not is killed', async () => {
  await house.start()
  const stubborn = replica('web/2', ['stubborn'], { stopTimeoutMs: 300 })
  await house.engine.put({ replicas: [replica('web/1', ['graceful']), stubborn] })
  for (const id of ['web/1', 'web/2']) {
    await untilLogged((await house.until(id, running, 'runs')).logFile, 'ready')
  }
  await house.engine.put({ replicas: [] })
  expect(await seen('replica-exited', 'web/1')).toMatchObject({ code: 7, signal: null })
  const killed = await seen('replica-exited', 'web/2')
  expect(killed).toMatchObject({ code: null, signal: 'SIGKILL' })
  expect(killed.at - (await seen('replica-exited', 'web/1')).at).toBeLessThan(2000)
})

test.runIf(linux)('a grandchild in a session of its own goes with its parent', async () => {
  await house.start()
  const place = mkdtempSync(join(tmpdir(), 'holdfast-family-'))
  const file = join(place, 'grandchild')
  const family = replica('web/1', ['family', file], { stopTimeoutMs: 300, writes: [place] })
  await house.engine.put({ replicas: [family] })
  const grandchild = Number(
    await eventually(
      () => (existsSync(file) ? readFileSync(file, 'utf8') : ''),
      (text) => text !== '',
      'there is a grandchild',
    ),
  )
  expect(lives(grandchild)).toBe(true)
  await house.engine.put({ replicas: [] })
  await seen('replica-exited', 'web/1')
  expect(lives(grandchild)).toBe(false)
  rmSync(place, { recursive: true })
})

test.runIf(linux && root)('one that needs more memory than it may is killed, and that is said', async () => {
  await house.start()
  if ((await house.engine.status()).notes.length > 0) return
  await house.engine.put({ replicas: [replica('fat/1', ['greedy'], { memoryMiB: 128 })] })
  const crash = await seen('replica-crashed', 'fat/1')
  expect(crash.detail).toBe('killed: it used more than 128 MiB of memory')
})

test('a killed supervisor leaves everything running; the next one adopts replicas with their pids and notices their end', async () => {
  await house.start(true)
  const specs = [replica('web/1', ['serve'], assigned), replica('web/2', ['idle'])]
  await house.engine.put({ replicas: specs })
  const before = await house.until('web/1', running, 'runs')
  const other = await house.until('web/2', running, 'runs')
  const edge = Number(await askUntilUp(house.port()))
  await house.kill()
  expect(Number(await ask(house.port()))).toBe(edge)
  expect(JSON.parse(await askUntilUp(before.port))).toMatchObject({ pid: before.pid })
  expect(await isRunning(house.data)).toBeNull()
  expect(await endLeftovers(house.data)).toHaveLength(2)
  expect(lives(edge)).toBe(false)
  await house.start(true)
  expect(await house.replica('web/1')).toMatchObject({
    pid: before.pid,
    port: before.port,
    adopted: true,
    state: 'running',
  })
  expect(await house.replica('web/2')).toMatchObject({ pid: other.pid, adopted: true })
  await house.engine.put({ replicas: specs })
  expect((await house.replica('web/1')).pid).toBe(before.pid)
  process.kill(before.pid ?? 0, 'SIGKILL')
  await seen('replica-crashed', 'web/1')
  const after = await house.until('web/1', (status) => running(status) && !status.adopted, 'is restarted')
  expect(after.port).toBe(before.port)
  const numbers = (await house.allEvents()).map(({ number }) => number)
  expect(numbers).toEqual(numbers.map((_, index) => index + 1))
  await house.engine.restart('web/2')
  await house.until(
    'web/2',
    (status) => running(status) && status.pid !== other.pid,
    'is restarted though adopted',
  )
  expect(lives(other.pid ?? 0)).toBe(false)
})

test.runIf(linux)('without its records a replica is adopted by its mark', async () => {
  await house.start()
  await house.engine.put({ replicas: [replica('web/1', ['serve'], assigned)] })
  const before = await house.until('web/1', running, 'runs')
  await askUntilUp(before.port)
  await house.kill()
  writeFileSync(join(house.data, 'supervisor', 'replicas.json'), 'garbage')
  await house.start()
  expect(await house.replica('web/1')).toMatchObject({ pid: before.pid, port: before.port, state: 'running' })
})

test('a wish that cannot be read any more is told and harms no replica', async () => {
  await house.start()
  const specs = [replica('web/1', ['serve'], assigned)]
  await house.engine.put({ replicas: specs })
  const before = await house.until('web/1', running, 'runs')
  await house.kill()
  writeFileSync(join(house.data, 'supervisor', 'desired.json'), '{"replicas": [{"id"')
  await house.start()
  const status = await house.engine.status()
  expect(status.notes.join()).toContain('desired.json is unreadable')
  expect(status.replicas[0]).toMatchObject({ pid: before.pid, state: 'running' })
  const after = await house.engine.put({ replicas: specs })
  expect(after.replicas[0]).toMatchObject({ pid: before.pid, state: 'running' })
  expect(after.notes.join()).not.toContain('desired.json')
})

test('killed control and edge are started again at once; connections wait for the edge meanwhile', async () => {
  await house.start(true)
  const edge = Number(await askUntilUp(house.port()))
  const { processes } = await house.engine.status()
  const control = processes.find(({ name }) => name === 'control')?.pid ?? 0
  process.kill(edge, 'SIGKILL')
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(house.port())))
  expect(new Set(answers).size).toBe(1)
  expect(Number(answers[0])).not.toBe(edge)
  process.kill(control, 'SIGKILL')
  const crash = await seen('process-crashed', 'control')
  expect(crash).toMatchObject({ signal: 'SIGKILL', restartInMs: 0, pid: control })
  const again = await seen('process-started', 'control', 2)
  expect(lives(again.pid ?? 0)).toBe(true)
  expect(again.at - crash.at).toBeLessThan(1000)
})

test('a second supervisor on the same data directory is refused and names the first', async () => {
  const first = await house.start()
  const plan = JSON.stringify({
    dataDirectory: house.data,
    version: '1',
    node: process.execPath,
    processes: [],
  })
  const second = spawn(process.execPath, [supervisorScript(), plan], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  second.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const code = await new Promise((resolve) => second.once('close', resolve))
  expect(code).toBe(1)
  expect(said).toContain(`Another Holdfast (pid ${first.pid}) runs on`)
  expect((await house.engine.status()).pid).toBe(first.pid)
})

test('stopped, nothing is left; told to leave replicas, they live', async () => {
  const first = await house.start(true)
  await house.engine.put({ replicas: [replica('web/1', ['serve'], { ...assigned, memoryMiB: 256 })] })
  const { pid } = await house.until('web/1', running, 'runs')
  await stopSupervisor(house.data, { replicas: false })
  expect(lives(pid ?? 0)).toBe(true)
  expect(first.exitCode ?? 0).toBe(0)
  const second = await house.start(true)
  expect((await house.replica('web/1')).pid).toBe(pid)
  const { processes } = await house.engine.status()
  const gone = new Promise((resolve) => second.once('exit', (code) => resolve(code)))
  second.kill('SIGTERM')
  expect(await gone).toBe(0)
  for (const dead of [pid, ...processes.map((item) => item.pid)]) expect(lives(dead ?? 0)).toBe(false)
  await expect(house.engine.status()).rejects.toMatchObject({ code: 'supervisor.unreachable' })
  expect(await isRunning(house.data)).toBeNull()
  expect(groupsOf(house)).toEqual([])
})

test('what others need until they have ended is stopped after them', async () => {
  const diary = join(house.data, '..', 'diary')
  const writing = (id: string, pauseSeconds: number): ReplicaSpec => {
    const script = `trap 'sleep ${pauseSeconds}; echo ${id} >> "$0"; exit' TERM; echo ready; while :; do sleep 0.05; done`
    const command = ['/bin/sh', '-c', script, diary]
    return { ...replica(id, []), command, stopTimeoutMs: 10_000, user: 'root' }
  }
  await house.start()
  await house.engine.put({
    replicas: [{ ...writing('main/1', 0), outlives: true }, writing('web/1', 0.7), writing('worker/1', 0.3)],
  })
  for (const id of ['main/1', 'web/1', 'worker/1'])
    await untilLogged((await house.until(id, running, 'runs')).logFile, 'ready')
  await stopSupervisor(house.data)
  expect(readFileSync(diary, 'utf8').trim().split('\n')).toEqual(['worker/1', 'web/1', 'main/1'])
})

test('a log that grows is rotated under its writer', async () => {
  await house.start()
  await house.engine.put({ replicas: [replica('loud/1', ['chatter'])] })
  const { logFile } = await house.until('loud/1', running, 'runs')
  await eventually(() => existsSync(`${logFile}.1`), Boolean, 'it is rotated')
  expect(statSync(logFile).size).toBeLessThan(16 * 2 ** 20)
})

test('processor time and memory are measured', async () => {
  await house.start(true)
  await house.engine.put({ replicas: [replica('web/1', ['serve'], assigned)] })
  const status = await eventually(
    () => house.engine.status(),
    (found) => found.replicas[0]?.cpu !== null && found.processes.every(({ cpu }) => cpu !== null),
    'there are two samples',
  )
  expect(status.replicas[0]?.memoryBytes).toBeGreaterThan(2 ** 20)
  expect(status.replicas[0]?.cpu).toBeGreaterThanOrEqual(0)
  for (const item of status.processes) expect(item.memoryBytes).toBeGreaterThan(2 ** 20)
})

test('a data directory with a long path gets a short socket', async () => {
  const top = mkdtempSync(join(tmpdir(), 'holdfast-long-'))
  const directory = join(top, 'x'.repeat(60), 'y'.repeat(60))
  mkdirSync(directory, { recursive: true })
  await house.clean()
  house = createHouse(directory)
  await house.start()
  const file = JSON.parse(readFileSync(join(house.data, 'run', 'supervisor.json'), 'utf8')) as {
    socket: string
  }
  expect(file.socket.length).toBeLessThan(104)
  expect((await house.engine.status()).version).toBe('1.2.3')
  await house.clean()
  rmSync(top, { recursive: true })
  rmSync(dirname(file.socket), { recursive: true })
})

test('bad requests are refused', async () => {
  await house.start()
  const twice = [replica('web/1', ['idle']), replica('web/1', ['idle'])]
  await expect(house.engine.put({ replicas: twice })).rejects.toMatchObject({
    code: 'supervisor.duplicate-replica',
  })
  const bad = [{ ...replica('web/1', ['idle']), id: '../etc/1' }]
  await expect(house.engine.put({ replicas: bad })).rejects.toMatchObject({
    code: 'supervisor.invalid-request',
    path: 'replicas.0.id',
  })
  await expect(house.engine.restart('none/1')).rejects.toMatchObject({ code: 'supervisor.unknown-replica' })
  expect((await house.engine.status()).replicas).toEqual([])
})

test.runIf(linux && root)('with a full disk a wish is refused and what runs goes on running', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-full-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory])
  await house.clean()
  house = createHouse(directory)
  try {
    await house.start()
    const one = replica('web/1', ['serve'], assigned)
    await house.engine.put({ replicas: [one] })
    const before = await house.until('web/1', running, 'runs')
    fillUp(directory)
    const more = { replicas: [one, replica('web/2', ['idle'], { variables: { BIG: 'x'.repeat(20_000) } })] }
    await expect(house.engine.put(more)).rejects.toMatchObject({
      code: 'supervisor.not-saved',
      hint: expect.stringContaining('disk is full') as string,
    })
    const status = await house.engine.status()
    expect(status.replicas.map(({ id, pid }) => [id, pid])).toEqual([['web/1', before.pid]])
    process.kill(before.pid ?? 0, 'SIGKILL')
    await house.until('web/1', (now) => running(now) && now.pid !== before.pid, 'is restarted on a full disk')
  } finally {
    await stopSupervisor(house.data).catch(() => undefined)
    execFileSync('umount', ['-l', directory])
  }
})
