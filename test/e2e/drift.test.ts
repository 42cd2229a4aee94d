import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Drift } from '../../src/contracts/index.ts'
import { describeWith } from '../support/describe-with.ts'
import { until, type Place } from '../support/holdfast/index.ts'
import { placesOfTests } from '../support/holdfast/places.ts'

const newPlace = placesOfTests()
const timeout = 180_000
const origin = join(import.meta.dirname, '..', 'support', 'holdfast', 'origin.mjs')

interface Changes {
  readonly limit?: string
  readonly databases?: object
  readonly volumes?: object
}

function environmentFile({ limit = '1000/s', databases = {}, volumes = { uploads: {} } }: Changes): string {
  const web = {
    command: [process.execPath, 'origin.mjs'],
    directory: 'web',
    health: '/healthz',
    replicas: 2,
    volumes: Object.keys(volumes),
    resources: { memoryMiB: 300 },
    deploy: { canary: { for: '0s' }, drain: '500ms' },
  }
  const edge = { routes: { '/*': { to: 'web', limit }, 'POST /login': { to: 'web', limit: '5/min per ip' } } }
  const environment = { name: 'drifting', services: { web }, volumes, databases, edge }
  return `export default ${JSON.stringify(environment)}\n`
}

async function running(changes: Changes = {}): Promise<Place> {
  const here = await newPlace()
  chmodSync(here.directory, 0o755)
  mkdirSync(join(here.directory, 'web'))
  writeFileSync(join(here.directory, 'web', 'origin.mjs'), readFileSync(origin))
  here.write('holdfast.config.ts', environmentFile(changes))
  await here.up()
  return here
}

const driftOf = (here: Place, ignore: string[] = []): Promise<Drift> =>
  here.client().call('environment.drift', { ignore })

/** Drift may be asked for thirty times a minute. */
const slowly = (holds: () => Promise<boolean>) => async (): Promise<boolean> => {
  const found = await holds()
  if (!found) await sleep(2000)
  return found
}

const untilNothingDiffers = (here: Place, what: string): Promise<void> =>
  until(
    what,
    slowly(async () => (await driftOf(here)).items.length === 0),
    60_000,
  )

/** What is said of an object; fails when nothing is. */
async function itemOf(here: Place, object: string): Promise<Drift['items'][number]> {
  const { items } = await driftOf(here)
  const item = items.find((each) => each.object === object)
  if (item === undefined) throw new Error(`nothing of ${object} in ${JSON.stringify(items)}`)
  return item
}

/** What control and the supervisor write by themselves, whether somebody looks or not. */
const restless =
  /^(logs|run|compiled)(\/|$)|^(series|limits)\.db|^control\.limits|^timeline\.(db-shm|head)|^edge(\/limits|$)/

function listing(data: string): readonly string[] {
  return readdirSync(data, { recursive: true })
    .map(String)
    .filter((path) => !restless.test(path))
    .map((path) => {
      const found = statSync(join(data, path))
      return `${path} ${found.mode} ${found.isSocket() ? '' : `${found.size} ${found.mtimeMs}`}`
    })
    .sort()
}

const lastFact = async (here: Place): Promise<number> =>
  (await here.client().call('timeline.read', { limit: 1 })).facts[0]?.sequence ?? 0

/** The file of a process' cgroup that bounds its memory; undefined: it is in none. */
function memoryLimitOf(pid: number): string | undefined {
  const groups = readFileSync(`/proc/${pid}/cgroup`, 'utf8')
  const one = /^\d+:memory:(.*)$/m.exec(groups)?.[1]
  const two = /^0::(.*)$/m.exec(groups)?.[1] ?? ''
  const file =
    one === undefined
      ? join('/sys/fs/cgroup', two, 'memory.max')
      : join('/sys/fs/cgroup/memory', one, 'memory.limit_in_bytes')
  return file.includes('holdfast-') && existsSync(file) ? file : undefined
}

const pidsOf = async (here: Place): Promise<readonly number[]> =>
  (await here.client().call('environment.status', {})).services
    .flatMap(({ replicas }) => replicas)
    .flatMap(({ pid }) => (pid === null ? [] : [pid]))

test('looks and touches nothing: no fact, no file', { timeout }, async () => {
  const here = await running()
  await here.client().job('environment.deploy', { service: 'web', version: '1.0' })
  expect(await driftOf(here)).toMatchObject({ items: [], notes: [] })
  rmSync(join(here.data, 'volumes', 'uploads'), { recursive: true })
  writeFileSync(join(here.data, 'releases', 'web', '1.0', 'files', 'new.mjs'), 'new')
  await new Promise((settled) => setTimeout(settled, 2000))
  const before = { files: listing(here.data), fact: await lastFact(here) }
  for (let round = 0; round < 3; round++) expect((await driftOf(here)).items).toHaveLength(2)
  expect(here.run('environment', 'drift').code).toBe(1)
  expect(await lastFact(here)).toBe(before.fact)
  expect(listing(here.data)).toEqual(before.files)
})

test('says what was changed by hand, object by object, and since when', { timeout }, async () => {
  const here = await running()
  await here.client().job('environment.deploy', { service: 'web', version: '1.0' })
  const beganAt = Date.now() - 1000
  const since = (): unknown => expect.toSatisfy((at: number) => at >= beganAt && at <= Date.now() + 1000)
  await new Promise((tick) => setTimeout(tick, 1100))

  writeFileSync(join(here.data, 'releases', 'web', '1.0', 'files', 'origin.mjs'), 'changed')
  expect(await itemOf(here, 'release 1.0 of web')).toEqual({
    object: 'release 1.0 of web',
    says: 'its files were changed by hand: origin.mjs',
    since: since(),
  })

  rmSync(join(here.data, 'volumes', 'uploads'), { recursive: true })
  mkdirSync(join(here.data, 'volumes', 'gone'))
  mkdirSync(join(here.data, 'releases', 'old', '1.0'), { recursive: true })
  mkdirSync(join(here.data, 'databases', 'main'), { recursive: true })
  const { items } = await driftOf(here)
  expect(items.map(({ object }) => object)).toEqual([
    'release 1.0 of web',
    'volume uploads',
    'releases of old',
    'volume gone',
    'database main',
  ])
  expect(items.map((item) => item.since)).toEqual(items.map(() => since()))
  expect(items.slice(2).every(({ says }) => says.startsWith('left over'))).toBe(true)

  const policy = join(here.data, 'edge', 'policy.json')
  writeFileSync(policy, readFileSync(policy, 'utf8').replace('"5/min per ip"', '"5000/min per ip"'))
  const kept = await itemOf(here, 'route POST /login')
  expect(kept.says).toContain('was changed by hand: limits is ["5000/min per ip"], not ["5/min per ip"]')
  expect(kept.since).toEqual(since())

  here.write('holdfast.config.ts', environmentFile({ limit: '7/s' }))
  const file = await itemOf(here, 'route /*')
  expect(file).toMatchObject({
    says: expect.stringContaining('was not applied') as string,
    since: since() as number,
  })

  const left = await driftOf(here, ['release*', 'volume *', 'database main', 'route /*'])
  expect(left.items.map(({ object }) => object)).toEqual(['route POST /login'])
  expect(left.says).toBe('1 thing differs from what was applied (6 more passed over)')
  const command = ['environment', 'drift', '--json', '--exit-code']
  const said = here.run(...command, '--ignore', 'r*', '--ignore', 'volume ?')
  expect(said.code).toBe(2)
  expect((JSON.parse(said.out) as Drift).items.map(({ object }) => object)).toContain('volume uploads')
  expect(here.run(...command, '--ignore', '*').code).toBe(0)
})

test('says what was done to processes by hand', { timeout }, async () => {
  const here = await running()
  const [first = 0, second = 0] = await pidsOf(here)
  const limit = memoryLimitOf(second)
  if (limit !== undefined) writeFileSync(limit, String(400 * 2 ** 20))
  const mark = readFileSync(`/proc/${first}/environ`, 'utf8')
    .split('\0')
    .find((entry) => entry.startsWith('HOLDFAST_REPLICA='))
  const stray = spawn('sleep', ['300'], {
    env: { HOLDFAST_REPLICA: (mark ?? '').replace('HOLDFAST_REPLICA=', '').replace('web/1', 'web/9') },
    stdio: 'ignore',
  })
  process.kill(first, 'SIGSTOP')
  try {
    expect(await itemOf(here, 'replica web/1')).toMatchObject({
      says: expect.stringContaining('stopped by a signal') as string,
    })
    await until(
      'the fact',
      slowly(async () => (await itemOf(here, 'replica web/1')).since !== null),
    )
    expect(await itemOf(here, `process ${stray.pid}`)).toMatchObject({
      says: 'left over: it bears the mark of web/9, and belongs to none that runs',
      since: expect.any(Number) as number,
    })
    const bounded = limit === undefined ? null : await itemOf(here, 'replica web/2')
    const expected =
      'it may use 400 MiB and any number of cores, and 300 MiB and any number of cores are wished'
    expect(bounded?.says ?? expected).toContain(expected)
  } finally {
    process.kill(first, 'SIGCONT')
    stray.kill('SIGKILL')
    if (limit !== undefined) writeFileSync(limit, String(300 * 2 ** 20))
  }
  await untilNothingDiffers(here, 'everything to be well')
})

test(
  'a policy changed by hand does not outlive the edge, and an edge that is away is said',
  { timeout },
  async () => {
    const here = await running()
    const policy = join(here.data, 'edge', 'policy.json')
    const original = readFileSync(policy, 'utf8')
    process.kill(here.pidOf('control'), 'SIGSTOP')
    writeFileSync(policy, original.replace('"5/min per ip"', '"5000/min per ip"'))
    const edge = here.pidOf('edge')
    process.kill(edge, 'SIGKILL')
    await until('another edge', () => here.pidOf('edge') !== edge)
    await until('it to serve', async () => (await fetch(here.edgeUrl)).ok)
    process.kill(here.pidOf('control'), 'SIGCONT')
    await until('the right policy', () => readFileSync(policy, 'utf8') === original, 30_000)
    await untilNothingDiffers(here, 'nothing to differ')
    process.kill(here.pidOf('edge'), 'SIGSTOP')
    try {
      expect(await itemOf(here, 'edge')).toMatchObject({
        says: expect.stringContaining('does not answer') as string,
      })
    } finally {
      process.kill(here.pidOf('edge'), 'SIGCONT')
    }
  },
)

describeWith(['postgres', 'redis-server'], 'drift of databases', () => {
  test('is said of users, databases, records and directories', { timeout }, async () => {
    const databases = { main: { engine: 'postgres', names: ['shop', 'logs'] }, cache: { engine: 'redis' } }
    const here = await running({ databases })
    await untilNothingDiffers(here, 'the databases')
    const record = join(here.data, 'databases', 'main', 'record.json')
    const before = readFileSync(record, 'utf8')
    const { port, programs, adminPassword } = JSON.parse(before) as Record<string, string>
    const dropped = spawnSync(
      join(programs ?? '', 'psql'),
      [
        '-h',
        '127.0.0.1',
        '-p',
        String(port),
        '-U',
        'holdfast_admin',
        '-d',
        'postgres',
        '-c',
        'DROP DATABASE logs',
      ],
      { env: { PGPASSWORD: adminPassword }, encoding: 'utf8' },
    )
    expect(dropped).toMatchObject({ status: 0 })
    expect((await itemOf(here, 'database main')).says).toContain('main is without database logs')
    const list = await here.client().call('environment.databases', {})
    expect(list.databases[0]).toMatchObject({ name: 'main', state: 'degraded', missing: ['database logs'] })
    await here.client().job('environment.restart', { service: 'main' })
    await untilNothingDiffers(here, 'it to be made anew')

    writeFileSync(record, before.replace(`"port":${port}`, '"port":13').replace('"major":"', '"major":"9'))
    const { items } = await driftOf(here)
    // No file goes together with such data.
    expect(items.map(({ object }) => object)).toEqual(['database main', 'database main', 'environment file'])
    expect(items[0]?.says).toBe(`it listens on port ${port}, and its record says 13`)
    expect(items[1]?.says).toMatch(/it runs version \d+\.\d+, and its record says 9\d+/)
    expect(items[0]?.since).toBe(Math.floor(statSync(record).mtimeMs))
    rmSync(record)
    expect((await itemOf(here, 'database main')).says).toBe(
      'its record is gone, with its port and its passwords',
    )
    writeFileSync(record, before)
    chmodSync(record, 0o644)
    const cache = join(here.data, 'databases', 'cache', 'files')
    renameSync(cache, `${cache}.away`)
    expect(await itemOf(here, 'database cache')).toMatchObject({
      says: 'its data directory is gone',
      since: expect.any(Number) as number,
    })
    renameSync(`${cache}.away`, cache)
  })
})
