import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { seededRandom } from '../../src/kernel/std/index.ts'
import { until, type Place } from '../support/holdfast/index.ts'
import { placesOfTests } from '../support/holdfast/places.ts'
import {
  endedJob,
  endedOddly,
  journalOf,
  faultySeed,
  killer,
  killsOver,
  knock,
  nothingIsLeft,
  untilRuns,
  wrongAnswers,
  type Journal,
  type Kill,
} from '../support/undertakings/index.ts'

const newPlace = placesOfTests()
const timeout = 900_000

const service = `
import { createServer } from 'node:http'
const server = createServer((request, response) => response.end(process.env.LOOKS))
server.listen(Number(process.env.PORT), process.env.HOST)
process.on('SIGTERM', () => {
  server.close(() => process.exit(0))
  server.closeIdleConnections()
})
`

/** An environment that looks one way or the other: `plain` has a service and a volume more, and a replica less. */
function looking(looks: 'plain' | 'fancy', more: object = {}): string {
  const command = [process.execPath, 'app.mjs']
  const deploy = { canary: { for: '0s' }, drain: '100ms' }
  const web = {
    command,
    health: '/healthz',
    replicas: looks === 'plain' ? 1 : 2,
    env: { LOOKS: looks },
    deploy,
  }
  const other = { command: ['sleep', 'infinity'], listens: false, volumes: ['scratch'] }
  const environment = {
    name: 'faults',
    services: { web, ...(looks === 'plain' ? { other } : {}) },
    volumes: looks === 'plain' ? { scratch: {} } : {},
    edge: { routes: { '/*': { to: 'web', limit: '100000/s burst 100000' } } },
    ...more,
  }
  return `export default ${JSON.stringify(environment)}\n`
}

async function shop(): Promise<Place> {
  const here = await newPlace()
  here.write('app.mjs', service)
  here.write('holdfast.config.ts', looking('plain'))
  await here.up()
  return here
}

interface Applied {
  readonly end: string
  readonly says: string
  readonly facts: number
}

/** Asks for an apply of the file as it is; answers with the job. */
async function request(here: Place): Promise<string> {
  const { hash, destroys } = await here.client().call('environment.plan', {})
  return (await here.client().request('environment.apply', { plan: hash, destroy: destroys })).id
}

/** Applies the file as it is, and kills somebody at a fact or after a time. */
async function apply(here: Place, journal: Journal, kill: Kill | null): Promise<Applied> {
  const since = journal.last()
  const id = await request(here)
  const killing = kill === null ? null : killer(here, { journal, since, ...kill })
  const job = await endedJob(here, id)
  killing?.stop()
  await killing?.done
  return { end: job.error?.code ?? job.state, says: job.says, facts: journal.last() - since }
}

test(
  `an apply goes on, whoever is killed at whichever of its facts (seed ${faultySeed})`,
  { timeout },
  async () => {
    const here = await shop()
    const journal = journalOf(here)
    const load = knock(here.edgeUrl)
    const random = seededRandom(faultySeed)
    let looks: 'plain' | 'fancy' = 'plain'
    const change = async (kill: Parameters<typeof apply>[2]): Promise<Applied> => {
      looks = looks === 'plain' ? 'fancy' : 'plain'
      here.write('holdfast.config.ts', looking(looks))
      return apply(here, journal, kill)
    }
    const whole = [await change(null), await change(null)]
    expect(whole.map(({ end }) => end)).toEqual(['done', 'done'])
    const kills = killsOver(Math.max(...whole.map(({ facts }) => facts)), random)
    for (const [number, kill] of kills.entries()) {
      const [refused, broken] = [load.refused(), load.broken()]
      const applied = await change(kill)
      const label = `${number}, ${JSON.stringify(kill)}: ${applied.says}`
      expect([label, applied.end]).toEqual([label, 'done'])
      await untilRuns(here, 'web', looks === 'plain' ? [''] : ['', ''])
      expect([label, existsSync(join(here.data, 'volumes', 'scratch'))]).toEqual([label, looks === 'plain'])
      expect([label, wrongAnswers(load, /^(plain|fancy)$/)]).toEqual([label, []])
      const turnedAway = kill.victim === 'supervisor' ? 0 : load.refused() - refused
      expect([label, turnedAway]).toEqual([label, 0])
      const most = { control: 0, edge: 3, supervisor: 100 }[kill.victim]
      expect(load.broken() - broken).toBeLessThanOrEqual(most)
    }
    await load.stop()
    expect(endedOddly(journal)).toEqual([])
    await nothingIsLeft(here)
    journal.close()
  },
)

test(
  'an apply does not begin while a deploy is under way, nor does a second instance',
  { timeout },
  async () => {
    const here = await shop()
    const journal = journalOf(here)
    const { id } = await here.client().request('environment.deploy', { service: 'web', version: '1' })
    await until('the deploy', () => journal.after(0).some(({ kind }) => kind === 'environment.deploy-begun'))
    here.write('holdfast.config.ts', looking('fancy'))
    const tooEarly = await endedJob(here, await request(here))
    expect(tooEarly.error?.code).toMatch(/^environment\.(deploy-under-way|plan-outdated)$/)
    expect(await endedJob(here, id)).toMatchObject({ state: 'done' })
    const applying = await request(here)
    await until('the apply', () => journal.after(0).some(({ kind }) => kind === 'environment.apply-begun'))
    const second = await here.up()
    expect(await second.ended).toBe(73)
    expect(await endedJob(here, applying)).toMatchObject({ state: 'done' })
    await untilRuns(here, 'web', ['1', '1'])
    expect(endedOddly(journal)).toEqual([])
    await nothingIsLeft(here)
    journal.close()
  },
)

test('an apply whose file is changed meanwhile says that it did not come about', { timeout }, async () => {
  const here = await shop()
  const journal = journalOf(here)
  here.write('holdfast.config.ts', looking('fancy'))
  const id = await request(here)
  // Killed between the fact and the acceptance, control has to read the file again, which says something else by now.
  await until('the apply', () => journal.after(0).some(({ kind }) => kind === 'environment.apply-begun'))
  process.kill(here.pidOf('control'), 'SIGKILL')
  here.write('holdfast.config.ts', looking('fancy', { limits: { mail: '9/h' } }))
  const job = await endedJob(here, id)
  // It may have been accepted in time: then it came about as it was planned.
  expect(job.error?.message ?? 'was changed').toContain('was changed')
  expect(endedOddly(journal)).toEqual([])
  await apply(here, journal, null)
  await nothingIsLeft(here)
  journal.close()
})
