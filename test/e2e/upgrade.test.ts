import { Agent, request } from 'node:http'
import { chmodSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { spawnSync } from 'node:child_process'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, expect, test } from 'vitest'
import { makePlace, mustRun, until, type Place } from '../support/holdfast/index.ts'
import { processesWith } from '../support/holdfast/left.ts'
import { copyInstallation, type SecondInstallation } from '../support/installation/index.ts'

const root = resolve(import.meta.dirname, '../..')
const origin = join(import.meta.dirname, '..', 'support', 'holdfast', 'origin.mjs')
const environment = {
  name: 'upgraded',
  services: { web: { command: [process.execPath, origin], health: '/healthz', replicas: 2 } },
  edge: { routes: { '/*': { to: 'web', limit: '100000/s burst 100000' } } },
}

const places: Place[] = []
const installations: SecondInstallation[] = []
afterEach(async () => {
  for (const place of places.splice(0)) await place.clear()
  for (const installation of installations.splice(0)) installation.remove()
})

async function runningPlace(): Promise<Place> {
  const here = await makePlace()
  places.push(here)
  chmodSync(here.directory, 0o755)
  here.write('holdfast.config.ts', `export default ${JSON.stringify(environment)}\n`)
  mustRun(await here.up())
  return here
}

function second(version: string): SecondInstallation {
  const installation = copyInstallation(version)
  installations.push(installation)
  return installation
}

/** One request after the other, each on a connection of its own. */
function knock(url: string) {
  const seen = { good: 0, refused: 0, bad: 0, longestMs: 0 }
  const ending = new AbortController()
  const ask = (): Promise<void> =>
    new Promise((done) => {
      const beganMs = performance.now()
      const outgoing = request(url, { agent: new Agent(), timeout: 20_000 }, (response) => {
        response.resume()
        response.on('end', () => {
          if (response.statusCode === 200) seen.good++
          else seen.bad++
          seen.longestMs = Math.max(seen.longestMs, performance.now() - beganMs)
          done()
        })
        response.on('error', () => done())
      })
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNREFUSED') seen.refused++
        else seen.bad++
        done()
      })
      outgoing.end()
    })
  const going = (async () => {
    while (!ending.signal.aborted) {
      await ask()
      await new Promise((next) => setTimeout(next, 5))
    }
  })()
  return {
    stop: async () => {
      ending.abort()
      await going
      return seen
    },
  }
}

const pidsOf = async (here: Place): Promise<readonly (number | null)[]> => {
  const { services } = await here.client().call('environment.status', {})
  return services.flatMap(({ replicas }) => replicas.map(({ pid }) => pid))
}

async function factsOf(here: Place, kind: string): Promise<readonly unknown[]> {
  const { facts } = await here.client().call('timeline.read', { limit: 1000 })
  return facts.filter((fact) => fact.kind === kind).map(({ data }) => data)
}

test('upgrades under load: no connection is refused, services run on', { timeout: 120_000 }, async () => {
  const here = await runningPlace()
  const next = second('0.1.1')
  const before = await pidsOf(here)
  const load = knock(here.edgeUrl)
  const ran = await here.call('upgrade', '--to', next.directory)
  const seen = await load.stop()
  expect(ran).toMatchObject({ code: 0 })
  expect(seen).toMatchObject({ refused: 0, bad: 0 })
  expect(seen.good).toBeGreaterThan(50)
  expect(await pidsOf(here)).toEqual(before)
  expect(await factsOf(here, 'environment.program-replaced')).toMatchObject([
    { version: '0.1.1', detail: 'upgraded from 0.1.0' },
  ])
  for (const name of ['supervisor', 'control', 'edge'] as const)
    expect(processesWith(next.directory)).toContain(here.pidOf(name))
  expect(here.run('down')).toMatchObject({ code: 0 })
  expect(processesWith(here.directory)).toEqual([])
})

test(
  'one that speaks another language is told by doctor, and can take over all the same',
  { timeout: 120_000 },
  async () => {
    const here = await runningPlace()
    const versionsBy = ({ directory }: SecondInstallation): unknown => {
      const main = join(directory, 'src/cli/main.ts')
      const ran = spawnSync(process.execPath, [main, 'doctor', '--json'], {
        cwd: here.directory,
        encoding: 'utf8',
      })
      const { checks } = JSON.parse(ran.stdout) as {
        checks: { about: string; state: string; says: string }[]
      }
      return checks.find(({ about }) => about === 'versions')
    }
    const [near, far] = [second('0.2.0'), second('0.9.0')]
    near.change('src/contracts/socket-door.ts', 'houseProtocol = 1', 'houseProtocol = 2')
    far.change('src/contracts/socket-door.ts', 'houseProtocol = 1', 'houseProtocol = 3')
    expect(versionsBy(near)).toMatchObject({ state: 'ok' })
    expect(versionsBy(far)).toMatchObject({ state: 'fail' })
    for (const name of ['the supervisor', 'control', 'the edge'])
      expect(JSON.stringify(versionsBy(far))).toContain(`${name} speaks version 1 of the language`)
    expect(await here.call('upgrade', '--to', far.directory)).toMatchObject({ code: 0 })
    expect(versionsBy(far)).toMatchObject({ state: 'ok' })
    expect(versionsBy(near)).toMatchObject({ state: 'ok' })
  },
)

/** A version whose timeline has a table more. */
function withOtherStores(): SecondInstallation {
  const next = second('0.2.0')
  next.change('src/kernel/timeline/sqlite/schema.ts', 'schemaVersion = 1', 'schemaVersion = 2')
  const migrations = "migrations: { 1: 'CREATE TABLE later (number INTEGER)' },"
  next.change(
    'src/kernel/timeline/sqlite/file.ts',
    '  version: schemaVersion,',
    `  version: schemaVersion, ${migrations}`,
  )
  return next
}

const tableVersion = (here: Place): number =>
  Number(
    new DatabaseSync(join(here.data, 'timeline.db')).prepare('PRAGMA user_version').get()?.['user_version'],
  )

test(
  'brings the stores forward, and refuses to go back to tables that are too old',
  { timeout: 120_000 },
  async () => {
    const here = await runningPlace()
    const next = withOtherStores()
    const ran = await here.call('upgrade', '--to', next.directory)
    expect(ran).toMatchObject({
      code: 0,
      out: expect.stringContaining('changes the stores') as string,
    })
    expect(await here.client().job('timeline.verify', {})).toMatchObject({ broken: null })
    const back = spawnSync(
      process.execPath,
      [join(next.directory, 'src/cli/main.ts'), 'upgrade', '--to', root],
      {
        cwd: here.directory,
        encoding: 'utf8',
      },
    )
    expect(back).toMatchObject({ status: 65, stderr: expect.stringContaining('upgrade.downgrade') as string })
    expect(here.run('down')).toMatchObject({ code: 0 })
    expect(tableVersion(here)).toBe(2)
    expect(readdirSync(join(here.data, 'supervisor')).filter((name) => name.startsWith('stores'))).toEqual([])
  },
)

test('brings back the stores when it goes back', { timeout: 120_000 }, async () => {
  const here = await runningPlace()
  const next = withOtherStores()
  next.change(
    'src/server/control/process.ts',
    'const doors = await',
    "throw new Error('after the stores')\n  const doors = await",
  )
  const before = await factsOf(here, 'environment.started')
  const ran = await here.call('upgrade', '--to', next.directory)
  expect(ran).toMatchObject({ code: 1, err: expect.stringContaining('after the stores') as string })
  expect(await factsOf(here, 'environment.started')).toEqual(before)
  expect(await here.client().job('timeline.verify', {})).toMatchObject({ broken: null })
  const replaced = await factsOf(here, 'environment.program-replaced')
  expect(replaced.at(-1)).toMatchObject({
    detail: expect.stringContaining('rolled back from 0.2.0: ') as string,
  })
  expect(here.run('down')).toMatchObject({ code: 0 })
  expect(tableVersion(here)).toBe(1)
})

test(
  'refuses what the other version, or the file, does not permit, and touches nothing',
  { timeout: 90_000 },
  async () => {
    const here = await runningPlace()
    const next = second('0.1.1')
    const before = here.pidOf('supervisor')
    expect(here.run('upgrade', '--to', here.directory)).toMatchObject({ code: 66 })
    here.write(
      'holdfast.config.ts',
      `export default ${JSON.stringify({ ...environment, people: { ada: { role: 'view' } } })}\n`,
    )
    const changed = here.run('upgrade', '--to', next.directory)
    expect(changed).toMatchObject({ code: 65, err: expect.stringContaining('was changed since') as string })
    next.change(
      'src/cli/local/check.ts',
      'const loaded = await',
      "throw new Error('not that file')\n  const loaded = await",
    )
    const refused = here.run('upgrade', '--to', next.directory)
    expect(refused).toMatchObject({ code: 65, err: expect.stringContaining('not that file') as string })
    expect(here.pidOf('supervisor')).toBe(before)
  },
)

const broken = [
  ['control', 'src/server/control/main.ts'],
  ['the edge', 'src/server/edge/main.ts'],
  ['the supervisor', 'src/server/supervisor/main.ts'],
] as const

test.each(broken)('goes back when %s of the other does not start', { timeout: 180_000 }, async (_, file) => {
  const here = await runningPlace()
  const next = second('0.1.1')
  next.change(file, 'import {', "throw new Error('broken on purpose')\nimport {")
  const before = await pidsOf(here)
  const load = knock(here.edgeUrl)
  const ran = await here.call('upgrade', '--to', next.directory)
  await until('traffic again', async () => (await fetch(here.edgeUrl)).status === 200)
  const seen = await load.stop()
  expect(ran).toMatchObject({ code: 1, err: expect.stringContaining('upgrade.rolled-back') as string })
  expect(seen).toMatchObject({ refused: 0, bad: 0 })
  expect(await pidsOf(here)).toEqual(before)
  expect(processesWith(next.directory)).toEqual([])
  expect(here.run('status')).toMatchObject({ code: 0 })
})
