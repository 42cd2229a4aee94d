import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { seededRandom } from '../../src/kernel/std/index.ts'
import type { Place } from '../support/holdfast/index.ts'
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

const service = `
import { createServer } from 'node:http'
const server = createServer((request, response) => response.end(process.env.HOLDFAST_RELEASE))
server.listen(Number(process.env.PORT), process.env.HOST)
process.on('SIGTERM', () => {
  server.close(() => process.exit(0))
  server.closeIdleConnections()
})
`

async function shop(): Promise<Place> {
  const here = await newPlace()
  mkdirSync(join(here.directory, 'web'))
  writeFileSync(join(here.directory, 'web', 'app.mjs'), service)
  const web = {
    command: [process.execPath, 'app.mjs'],
    directory: 'web',
    health: '/healthz',
    replicas: 2,
    deploy: { canary: { for: '0s' }, drain: '100ms', before: ['migrate'], keep: 2 },
  }
  const migrate = {
    service: 'web',
    command: ['/bin/sh', '-c', `echo "$HOLDFAST_RUN" >> ${join(here.directory, 'diary')}`],
  }
  const environment = {
    name: 'faults',
    services: { web },
    jobs: { migrate },
    edge: { routes: { '/*': { to: 'web', limit: '100000/s burst 100000' } } },
  }
  here.write('holdfast.config.ts', `export default ${JSON.stringify(environment)}\n`)
  await here.up()
  return here
}

interface Deployed {
  readonly end: string
  readonly says: string
  /** How many facts came. */
  readonly facts: number
}

/** Deploys, and kills somebody at a fact or after a time. */
async function deploy(
  here: Place,
  journal: Journal,
  { version, kill }: { readonly version: string; readonly kill: Kill | null },
): Promise<Deployed> {
  const since = journal.last()
  const { id } = await here.client().request('environment.deploy', { service: 'web', version })
  const killing = kill === null ? null : killer(here, { journal, since, ...kill })
  const job = await endedJob(here, id)
  killing?.stop()
  await killing?.done
  return { end: job.error?.code ?? job.state, says: job.says, facts: journal.last() - since }
}

/** A job that was to run when somebody died, of which nobody knows whether it did. */
function isUnknown({ end, says }: Deployed): boolean {
  return end === 'environment.run-failed' && /nobody (knows|saw)/.test(says)
}

test(
  `a deploy goes on, whoever is killed at whichever of its facts (seed ${faultySeed})`,
  { timeout: 900_000 },
  async () => {
    const here = await shop()
    const journal = journalOf(here)
    await deploy(here, journal, { version: 'first', kill: null })
    const whole = await deploy(here, journal, { version: 'second', kill: null })
    expect(whole).toMatchObject({ end: 'done' })
    const load = knock(here.edgeUrl)
    const random = seededRandom(faultySeed)
    const kills = killsOver(whole.facts, random)
    let runs = 'second'
    for (const [number, kill] of kills.entries()) {
      const version = `k${number}`
      const [refused, broken] = [load.refused(), load.broken()]
      const deployed = await deploy(here, journal, { version, kill })
      const label = `${version}, ${JSON.stringify(kill)}: ${deployed.end}: ${deployed.says}`
      expect([label, isUnknown(deployed) ? 'done' : deployed.end]).toEqual([label, 'done'])
      if (deployed.end === 'done') runs = version
      await untilRuns(here, 'web', [runs, runs])
      expect([label, wrongAnswers(load, /^(second|k\d+)$/)]).toEqual([label, []])
      // Only a supervisor takes the sockets along; of what an edge had in its hands each client has at most one.
      const turnedAway = kill.victim === 'supervisor' ? 0 : load.refused() - refused
      expect([label, turnedAway]).toEqual([label, 0])
      const most = { control: 0, edge: 3, supervisor: 100 }[kill.victim]
      expect(load.broken() - broken).toBeLessThanOrEqual(most)
    }
    await load.stop()
    const diary = readFileSync(join(here.directory, 'diary'), 'utf8').trim().split('\n')
    expect(diary).toHaveLength(new Set(diary).size)
    expect(endedOddly(journal)).toEqual([])
    await nothingIsLeft(here)
    const { releases } = await here.client().call('environment.deploys', {})
    expect(readdirSync(join(here.data, 'releases', 'web')).toSorted()).toEqual(
      releases[0]?.kept.map(({ release }) => release).toSorted(),
    )
    journal.close()
  },
)
