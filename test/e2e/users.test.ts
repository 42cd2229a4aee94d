import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { makePlace, mustRun, until, type Place } from '../support/holdfast/index.ts'
import { processesWith } from '../support/holdfast/left.ts'

const isRoot = process.platform === 'linux' && process.getuid?.() === 0

const places: Place[] = []
afterEach(async () => {
  for (const place of places.splice(0)) await place.clear()
})

/** Says who it is, and tries to read what a request names. */
const origin = `
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
const attempt = (act) => { try { return act() } catch (error) { return { refused: error.code } } }
const look = (path) => attempt(() => ({ read: readFileSync(path).length }))
createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://here')
  const path = searchParams.get('path') ?? ''
  const answers = {
    '/who': () => ({ uid: process.getuid(), pid: process.pid, home: process.env.HOME }),
    '/read': () => look(path),
    '/list': () => attempt(() => ({ read: readdirSync(path).length })),
    '/write': () => attempt(() => ({ wrote: writeFileSync(path, 'x') ?? true })),
  }
  response.end(JSON.stringify((answers[pathname] ?? (() => ({})))()))
}).listen(process.env.PORT, process.env.HOST)
`

const environment = {
  name: 'users',
  services: {
    web: { command: [process.execPath, 'origin.mjs'], health: '/healthz', replicas: 2, writes: ['data'] },
    other: { command: [process.execPath, 'origin.mjs'], health: '/healthz' },
    named: { command: [process.execPath, 'origin.mjs'], health: '/healthz', user: 'nobody' },
    chosen: { command: [process.execPath, 'origin.mjs'], health: '/healthz', user: 'root' },
  },
  edge: {
    routes: {
      '/web/*': { to: 'web', limit: '1000/s' },
      '/*': { to: 'web', limit: '1000/s' },
      'other.test/*': { to: 'other', limit: '1000/s' },
    },
  },
}

async function makeHere(mode: number): Promise<Place> {
  const here = await makePlace()
  places.push(here)
  chmodSync(here.directory, mode)
  here.write('origin.mjs', origin)
  here.write('holdfast.config.ts', `export default ${JSON.stringify(environment)}\n`)
  return here
}

const statusOf = (pid: number, key: string): string =>
  new RegExp(`^${key}:\\s+(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? ''
const uidOf = (pid: number): number => Number(statusOf(pid, 'Uid').split('\t')[0])

async function pidsOf(here: Place, service: string): Promise<readonly number[]> {
  const { services } = await here.client().call('environment.status', {})
  const replicas = services.find(({ name }) => name === service)?.replicas ?? []
  return replicas.map(({ pid }) => pid ?? 0)
}

const ask = async (here: Place, path: string): Promise<Record<string, unknown>> =>
  (await (await fetch(`${here.edgeUrl}${path}`)).json()) as Record<string, unknown>

const read = (here: Place, path: string) => ask(here, `/read?path=${encodeURIComponent(path)}`)

/** Every path below a directory. */
function walk(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name)
    return entry.isDirectory() ? [path, ...walk(path)] : [path]
  })
}

const healthy = (here: Place): Promise<void> =>
  until('everything to be healthy', async () => {
    const { state } = await here.client().call('environment.status', {})
    return state === 'healthy'
  })

describe.runIf(isRoot)('started as root, in a directory that others may read', () => {
  test('each runs as a user of its own, without new privileges', { timeout: 90_000 }, async () => {
    const here = await makeHere(0o755)
    mustRun(await here.up())
    const [control, edge] = [here.pidOf('control'), here.pidOf('edge')]
    const [web, second] = await pidsOf(here, 'web')
    const [other] = await pidsOf(here, 'other')
    const [named] = await pidsOf(here, 'named')
    const [chosen] = await pidsOf(here, 'chosen')
    const apart = [control, edge, web, other, named].map((pid) => uidOf(pid ?? 0))
    expect(new Set(apart).size).toBe(apart.length)
    expect(apart).not.toContain(0)
    expect(uidOf(second ?? 0)).toBe(uidOf(web ?? 0))
    expect(uidOf(named ?? 0)).toBe(Number(spawnSync('id', ['-u', 'nobody']).stdout.toString()))
    expect(uidOf(chosen ?? 0)).toBe(0)
    for (const pid of [control, edge, web, other, named]) {
      expect(statusOf(pid ?? 0, 'NoNewPrivs')).toBe('1')
      expect(statusOf(pid ?? 0, 'CapEff')).toBe('0000000000000000')
    }
    expect(here.run('status').out).not.toContain('runs as root')
    expect((await ask(here, '/who'))['home']).toBe(here.directory)
  })

  test('a service reads nothing of the data directory, nor of another', { timeout: 90_000 }, async () => {
    const here = await makeHere(0o755)
    mustRun(await here.up())
    expect(statSync(here.data).mode & 0o007).toBe(0)
    const files = walk(here.data).filter(
      (path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true,
    )
    expect(files.length).toBeGreaterThan(15)
    const answers = await Promise.all(files.map(async (path) => ({ path, ...(await read(here, path)) })))
    expect(answers.filter((answer) => !('refused' in answer))).toEqual([])
    for (const place of ['', 'run', 'logs', 'edge', 'supervisor'])
      expect(await ask(here, `/list?path=${join(here.data, place)}`)).toEqual({ refused: 'EACCES' })
    const [other] = await pidsOf(here, 'other')
    for (const pid of [other, here.pidOf('control'), here.pidOf('edge'), here.pidOf('supervisor')])
      expect(await read(here, `/proc/${pid}/environ`)).toEqual({ refused: 'EACCES' })
    expect(await read(here, join(here.directory, 'origin.mjs'))).toHaveProperty('read')
    expect(await ask(here, '/write?path=data/x')).toEqual({ wrote: true })
    expect(await ask(here, '/write?path=x')).toEqual({ refused: 'EACCES' })
  })

  test(
    'all goes on: reload, restart, kill -9 of each, a new supervisor, down',
    { timeout: 120_000 },
    async () => {
      const here = await makeHere(0o755)
      mustRun(await here.up())
      const users = [uidOf(here.pidOf('control')), uidOf(here.pidOf('edge'))]
      const wider = {
        ...environment,
        services: { ...environment.services, third: environment.services.other },
      }
      here.write('holdfast.config.ts', `export default ${JSON.stringify(wider)}\n`)
      expect(here.run('reload')).toMatchObject({ code: 0 })
      await until('the third service', async () => (await pidsOf(here, 'third')).length === 1)
      await healthy(here)
      expect(here.run('restart', 'web')).toMatchObject({ code: 0 })
      expect(here.run('logs', 'web')).toMatchObject({ code: 0 })
      chmodSync(join(here.directory, 'holdfast.config.ts'), 0o600)
      const unreadable = 'holdfast.config.ts cannot be read (EACCES)'
      expect(here.run('reload')).toMatchObject({ err: expect.stringContaining(unreadable) as string })
      chmodSync(join(here.directory, 'holdfast.config.ts'), 0o644)
      for (const name of ['control', 'edge'] as const) {
        const before = here.pidOf(name)
        process.kill(before, 'SIGKILL')
        await until(`a new ${name}`, () => here.pidOf(name) !== before)
        await until('answers', async () => (await fetch(`${here.edgeUrl}/who`)).status === 200)
      }
      const [web = 0] = await pidsOf(here, 'web')
      process.kill(web, 'SIGKILL')
      await healthy(here)
      const before = await pidsOf(here, 'other')
      process.kill(here.pidOf('supervisor'), 'SIGKILL')
      await until('the supervisor to be gone', () => here.run('down').code !== 0)
      mustRun(await here.up())
      expect(await pidsOf(here, 'other')).toEqual(before)
      expect([uidOf(here.pidOf('control')), uidOf(here.pidOf('edge'))]).toEqual(users)
      expect((await ask(here, '/who'))['uid']).not.toBe(0)
      expect(here.run('down')).toMatchObject({ code: 0 })
      expect(processesWith(here.directory)).toEqual([])
    },
  )
})

test.runIf(isRoot)(
  'in a directory that is closed to others, all run as root and say so',
  { timeout: 90_000 },
  async () => {
    const here = await makeHere(0o700)
    mustRun(await here.up())
    for (const pid of [here.pidOf('control'), here.pidOf('edge'), ...(await pidsOf(here, 'web'))])
      expect(uidOf(pid)).toBe(0)
    const { out } = here.run('status')
    for (const who of ['control', 'edge', 'web']) expect(out).toContain(`${who} runs as root: `)
    expect(out).toContain(`${here.directory} is closed to it`)
    expect(statSync(here.data).mode & 0o067).toBe(0)
  },
)

test.runIf(isRoot)('started as anybody else, all run as that user', { timeout: 90_000 }, async () => {
  const here = await makeHere(0o755)
  const account = 65_534
  const { named, chosen, ...others } = environment.services
  here.write('holdfast.config.ts', `export default ${JSON.stringify({ ...environment, services: others })}\n`)
  expect([named.user, chosen.user]).toEqual(['nobody', 'root'])
  spawnSync('chown', ['-R', String(account), here.directory])
  mustRun(await here.up([], {}, { behind: ['setpriv', '--reuid', String(account), '--clear-groups', '--'] }))
  const pids = [
    here.pidOf('supervisor'),
    here.pidOf('control'),
    here.pidOf('edge'),
    ...(await pidsOf(here, 'web')),
  ]
  for (const pid of pids) expect(uidOf(pid)).toBe(account)
  expect(statSync(here.data).mode & 0o777).toBe(0o700)
  expect(here.run('status').out).not.toContain('runs as root')
})
