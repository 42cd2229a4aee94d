import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { RebuildResult } from '../../src/contracts/index.ts'
import { findIsolation } from '../../src/server/rebuild/isolation.ts'
import { environmentHash } from '../../src/server/supervisor/index.ts'
import { describeWith } from '../support/describe-with.ts'
import { until, type Place, type Ran } from '../support/holdfast/index.ts'
import { processesWith } from '../support/holdfast/left.ts'
import { placesOfTests } from '../support/holdfast/places.ts'

const nosy = join(import.meta.dirname, '..', 'support', 'rebuild', 'nosy.mjs')
const place = placesOfTests()
const closing: (() => void)[] = []
afterEach(() => closing.splice(0).forEach((close) => close()))

let permitted = false
beforeAll(async () => {
  const here = await place()
  const walls = {
    directory: here.directory,
    dataDirectory: here.data,
    place: join(here.data, 'x'),
    network: true,
  }
  mkdirSync(walls.place, { recursive: true })
  permitted = 'wraps' in (await findIsolation(walls))
})

type Services = Record<string, Record<string, unknown>>

function file(here: Place, tried: string, change: Services = {}): string {
  const worker = { command: [process.execPath, '-e', 'setInterval(() => {}, 1000)'], listens: false }
  const web = {
    command: [process.execPath, nosy],
    replicas: 2,
    env: { TRY: tried, ROOT_TOKEN: join(here.data, 'root.token') },
    passEnv: ['SECRET'],
    volumes: ['uploads'],
    deploy: { before: ['migrate'] },
  }
  const script = "require('node:fs').writeFileSync(process.env.VOLUME_UPLOADS + '/migrated.txt', '')"
  return `export default ${JSON.stringify({
    name: 'shop',
    services: { web: { ...web, ...change['web'] }, worker: { ...worker, ...change['worker'] } },
    volumes: { uploads: {} },
    jobs: {
      migrate: { service: 'web', command: [process.execPath, '-e', script] },
      nightly: { command: [process.execPath, '-e', '0'] },
    },
    schedules: { nightly: { job: 'nightly', at: '* * * * *' } },
    edge: { routes: { '/*': { to: 'web', limit: '100000/s' } } },
  })}\n`
}

/** A listener of the host on every address, and what to try to reach it. */
async function listenOutside(): Promise<string> {
  const server = createServer((socket) => socket.end())
  await new Promise<void>((done) => server.listen(0, '0.0.0.0', done))
  closing.push(() => void server.close())
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const others = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
  return ['127.0.0.1', ...others.map((each) => each.address)].map((host) => `${host} ${port}`).join(',')
}

function cgroupsOf(hash: string): readonly string[] {
  const names = (directory: string, depth: number): readonly string[] =>
    depth === 0
      ? []
      : readdirSync(directory, { withFileTypes: true })
          .filter((each) => each.isDirectory())
          .flatMap(({ name }) => [join(directory, name), ...names(join(directory, name), depth - 1)])
  return existsSync('/sys/fs/cgroup') ? names('/sys/fs/cgroup', 5).filter((each) => each.includes(hash)) : []
}

/** Networks that other tests lay for their swarms. */
const ofSwarms = /^hf[0-9a-f]{6}n\d$/

/** Everything that a second environment could have left. */
function residue(here: Place, into = 'drill'): readonly string[] {
  const directory = join(here.data, 'sandboxes', into)
  const hash = environmentHash(join(directory, 'data'))
  return [
    ...processesWith(directory).map((pid) => `process ${pid}`),
    ...cgroupsOf(hash),
    ...readdirSync(tmpdir()).filter((name) => name.includes(hash)),
    ...[join(here.data, 'sandboxes'), join(here.directory, 'second.txt')].filter((path) => existsSync(path)),
    ...(existsSync('/run/netns') ? readdirSync('/run/netns').filter((name) => !ofSwarms.test(name)) : []),
  ]
}

function pids(here: Place): unknown {
  const status = JSON.parse(here.run('status', '--json').out) as {
    services: { replicas: { pid: number; state: string }[] }[]
  }
  return status.services.map(({ replicas }) => replicas.map(({ pid, state }) => [pid, state]))
}

/** Asks the first environment all the time; answers with what was not as it should be. */
function hammer(here: Place): () => Promise<readonly unknown[]> {
  const wrong: unknown[] = []
  const over = new AbortController()
  const loop = (async () => {
    while (!over.signal.aborted) {
      const answer = await fetch(here.edgeUrl).then(
        (response) => response.status,
        (error: unknown) => String(error),
      )
      if (answer !== 200) wrong.push(answer)
      await new Promise((again) => setTimeout(again, 20))
    }
  })()
  return async () => {
    over.abort()
    await loop
    return wrong
  }
}

const resultOf = ({ out, err }: Ran): RebuildResult => {
  if (out === '') throw new Error(err)
  return JSON.parse(out) as RebuildResult
}

async function kinds(here: Place): Promise<readonly string[]> {
  const { facts } = await here.client().call('timeline.read', { limit: 1000 })
  return facts.map(({ kind }) => kind).filter((kind) => kind.includes('rebuil'))
}

describe('a second environment', () => {
  test(
    'is whole, empty, without secrets and a way out; the first one does not notice',
    { timeout: 120_000 },
    async () => {
      const here = await place()
      const tried = await listenOutside()
      here.write('holdfast.config.ts', file(here, tried))
      await here.up([], { SECRET: 'real' })
      const before = pids(here)
      const serving = hammer(here)
      const result = resultOf(here.run('environment', 'rebuild', '--into', 'drill', '--keep', '1h', '--json'))
      expect(result.phases.map(({ name }) => name)).toEqual(
        'read prepare start jobs services edge'.split(' '),
      )
      expect(result.isolated).toBe(permitted)
      expect(result.notes.join('; ')).toContain('schedules are off: nightly')
      const volume = join(here.data, 'sandboxes', 'drill', 'data', 'volumes', 'uploads')
      const report = JSON.parse(readFileSync(join(volume, 'report.json'), 'utf8')) as Record<string, unknown>
      expect(report).toMatchObject({ reached: permitted ? [] : tried.split(',') })
      expect(existsSync(join(volume, 'migrated.txt'))).toBe(true)
      expect(report['secret']).toMatch(/^sandbox-/)
      const real = JSON.parse(
        readFileSync(join(here.data, 'volumes', 'uploads', 'report.json'), 'utf8'),
      ) as Record<string, unknown>
      expect(real).toMatchObject({
        reached: tried.split(','),
        secret: 'real',
        seesToken: true,
      })
      expect(report['seesToken']).toBe(!permitted)
      expect(existsSync(join(here.directory, 'second.txt'))).toBe(!permitted)

      const script = 'fetch(process.argv[1]).then((answer) => answer.text()).then(console.log)'
      const asking = `${result.kept?.enter ?? ''} '${process.execPath}' -e '${script}' ${result.kept?.url}`
      expect(execFileSync('/bin/sh', ['-c', asking], { encoding: 'utf8' })).toBe('hello\n')

      const again = here.run('environment', 'rebuild', '--into', 'drill')
      expect(again.err).toContain('environment.rebuild-under-way')
      const own = here.run('environment', 'rebuild', '--into', 'shop')
      expect(own.err).toContain('environment.rebuild-refused')
      process.kill(here.pidOf('control'), 'SIGKILL')
      await until('control to be back', () => here.run('status').code === 0)
      expect(processesWith(join(here.data, 'sandboxes', 'drill')).length).toBeGreaterThan(3)
      expect(here.run('environment', 'rebuild-remove', 'drill').code).toBe(0)
      expect(residue(here)).toEqual([])
      expect(await serving()).toEqual([])
      expect(pids(here)).toEqual(before)
      const begunAndFailed = ['environment.rebuild-begun', 'environment.rebuild-failed']
      expect(await kinds(here)).toEqual([
        'environment.rebuild-begun',
        'environment.rebuilt',
        ...begunAndFailed,
        ...begunAndFailed,
        'environment.rebuild-removed',
      ])
    },
  )

  test('that cannot start says where and why, and leaves nothing', { timeout: 90_000 }, async () => {
    const here = await place()
    here.write('holdfast.config.ts', file(here, ''))
    const broken = { command: [process.execPath, '-e', 'console.log("no ledger"); process.exit(3)'] }
    here.write('broken.config.ts', file(here, '', { worker: broken }))
    await here.up([], { SECRET: 'real' })
    const before = pids(here)
    const failed = here.run('environment', 'rebuild', '--into', 'drill', '--from', 'broken.config.ts')
    expect(failed.code).toBe(1)
    expect(failed.err).toContain('services: services.worker')
    expect(failed.err).toContain('no ledger')
    expect(residue(here)).toEqual([])
    expect(await kinds(here)).toEqual(['environment.rebuild-begun', 'environment.rebuild-failed'])
    expect(pids(here)).toEqual(before)
  })

  test(
    'is begun anew when control is killed in the middle, and cancelled at once',
    { timeout: 120_000 },
    async () => {
      const here = await place()
      here.write('holdfast.config.ts', file(here, ''))
      await here.up([], { SECRET: 'real' })
      const serving = hammer(here)
      const job = await here.client().request('environment.rebuild', { into: 'drill' })
      const control = join(here.data, 'sandboxes', 'drill', 'data')
      await until('it to be in the middle', () => processesWith(control).length > 2)
      process.kill(here.pidOf('control'), 'SIGKILL')
      await until(
        'the job to end',
        async () => {
          const { state } = await here.client().call('jobs.get', { job: job.id })
          return state === 'done'
        },
        60_000,
      )
      expect(residue(here)).toEqual([])

      const other = await here.client().request('environment.rebuild', { into: 'drill' })
      await until('it to be in the middle', () => processesWith(control).length > 2)
      await here.client().call('jobs.cancel', { job: other.id })
      await until('nothing to be left', () => residue(here).length === 0)
      expect(await serving()).toEqual([])
    },
  )

  test('without walls has ports of its own, and says what that means', { timeout: 90_000 }, async () => {
    const here = await place()
    here.write('holdfast.config.ts', file(here, ''))
    await here.up([], { SECRET: 'real', PATH: '/nowhere' })
    const result = resultOf(here.run('environment', 'rebuild', '--into', 'drill', '--keep', '1h', '--json'))
    expect(result.isolated).toBe(false)
    expect(result.notes.join('; ')).toContain('not kept apart')
    expect(result.kept?.enter).toBeNull()
    expect(await (await fetch(result.kept?.url ?? '')).text()).toBe('hello')
    expect(here.run('environment', 'rebuild-remove', 'drill').code).toBe(0)
    const touched = join(here.directory, 'second.txt')
    expect(residue(here)).toEqual([touched])

    here.write('fixed.config.ts', file(here, '', { worker: { port: 39_999 } }))
    const refused = here.run('environment', 'rebuild', '--into', 'drill', '--from', 'fixed.config.ts')
    expect(refused.err).toContain('worker: insists on a port')
    expect(residue(here)).toEqual([touched])
  })

  test('comes from a file alone, where nothing has ever run', { timeout: 60_000 }, async () => {
    const here = await place()
    here.write('holdfast.config.ts', file(here, ''))
    const result = resultOf(here.run('environment', 'rebuild', '--into', 'drill', '--offline', '--json'))
    expect(result).toMatchObject({ kept: null, isolated: permitted })
    expect(residue(here)).toEqual([])
    expect(existsSync(here.data)).toBe(false)
  })
})

describeWith(['postgres'], 'a second environment with a database', () => {
  test('has a managed database of its own, which is empty', { timeout: 120_000 }, async () => {
    const here = await place()
    const ask = `
        const { execFileSync } = require('node:child_process')
        const sql = ['CREATE TABLE IF NOT EXISTS t (x int)', 'INSERT INTO t VALUES (1)', 'SELECT count(*) FROM t']
        const args = sql.flatMap((each) => ['-c', each])
        require('node:http').createServer((request, response) => {
          if (request.url === '/healthz') return response.end()
          response.end(execFileSync('psql', ['-XqtA', '-d', process.env.DATABASE_URL, ...args]).toString().trim())
        }).listen(process.env.PORT, process.env.HOST)`
    const web = {
      command: [process.execPath, '-e', ask],
      health: '/healthz',
      env: { DATABASE_URL: { database: 'main' } },
    }
    const environment = {
      name: 'shop',
      databases: { main: { engine: 'postgres' } },
      services: { web },
      edge: { routes: { '/*': { to: 'web', limit: '1000/s' } } },
    }
    here.write('holdfast.config.ts', `export default ${JSON.stringify(environment)}\n`)
    await here.up()
    const count = async () => (await fetch(`${here.edgeUrl}/count`)).text()
    expect([await count(), await count()]).toEqual(['1', '2'])
    const result = resultOf(here.run('environment', 'rebuild', '--into', 'drill', '--keep', '1h', '--json'))
    const script = 'fetch(process.argv[1]).then((answer) => answer.text()).then(console.log)'
    const asking = `${result.kept?.enter ?? ''} '${process.execPath}' -e '${script}' ${result.kept?.url}/count`
    expect(execFileSync('/bin/sh', ['-c', asking], { encoding: 'utf8' })).toBe('1\n')
    expect(here.run('environment', 'rebuild-remove', 'drill').code).toBe(0)
    expect(await count()).toBe('3')
    expect(residue(here)).toEqual([])
  })
})
