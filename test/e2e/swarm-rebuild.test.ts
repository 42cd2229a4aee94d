import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { RebuildResult } from '../../src/contracts/index.ts'
import { systemClock } from '../../src/kernel/std/index.ts'
import { wholeEnvironment } from '../../src/providers/docker-swarm/index.ts'
import { describeWith } from '../support/describe-with.ts'
import {
  importServersImages,
  serversImage,
  startSwarm,
  swarmPrograms,
  tinyImage,
  whyNoSwarm,
  type Swarm,
} from '../support/docker/index.ts'
import { mustRun, until, type Place, type Ran } from '../support/holdfast/index.ts'
import { processesWith } from '../support/holdfast/left.ts'
import { placesOfTests } from '../support/holdfast/places.ts'

const path = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`
const timeout = 300_000

/** Counts in its database, and says which secret it was given and what its volume has. */
const service = `
const { execFileSync } = require('node:child_process')
const { readdirSync, writeFileSync } = require('node:fs')
const sql = ['CREATE TABLE IF NOT EXISTS t (x int)', 'INSERT INTO t VALUES (1)', 'SELECT count(*) FROM t']
const args = ['-XqtA', '-d', process.env.DATABASE_URL, ...sql.flatMap((each) => ['-c', each])]
require('node:http').createServer((request, response) => {
  if (request.url === '/healthz') return response.end()
  const place = process.env.VOLUME_UPLOADS
  const files = readdirSync(place)
  writeFileSync(place + '/' + process.hrtime.bigint(), '')
  const count = Number(execFileSync('/usr/lib/postgresql/15/bin/psql', args).toString().trim())
  response.end(JSON.stringify({ count, files: files.length, secret: process.env.SECRET }))
}).listen(process.env.PORT, process.env.HOST)
`

const resultOf = ({ out, err }: Ran): RebuildResult => {
  if (out === '') throw new Error(err)
  return JSON.parse(out) as RebuildResult
}

interface Said {
  readonly count: number
  readonly files: number
  readonly secret: string
}

const ask = async (url: string): Promise<Said> => {
  const response = await fetch(url, { signal: AbortSignal.timeout(20_000) })
  return (await response.json()) as Said
}

describe.skipIf(whyNoSwarm !== null)(`namespaces (${whyNoSwarm ?? 'there are'})`, () => {
  describeWith([...swarmPrograms, 'postgres'], 'a second environment on a swarm', (paths) => {
    let swarm: Swarm
    const engine = (): string => `unix://${swarm.daemons[0].socketPath}`
    const on = (name: string) => wholeEnvironment(engine(), name, systemClock)
    beforeAll(async () => {
      swarm = await startSwarm(paths)
      const programs = ['/usr/lib/postgresql/15/bin/postgres', '/usr/lib/postgresql/15/bin/psql']
      await importServersImages(swarm.daemons[0].docker, programs)
    }, timeout)
    afterEach(() => on('shop').remove(), timeout)
    // Its own end comes before that: what control finds gone it makes again.
    const newPlace = placesOfTests()
    afterAll(() => swarm.stop(), timeout)

    const write = (here: Place, file: string, change: { web?: object; databases?: object } = {}): void => {
      const web = {
        command: ['node', '-e', service],
        image: serversImage,
        health: '/healthz',
        env: { DATABASE_URL: { database: 'main' } },
        passEnv: ['SECRET'],
        volumes: ['uploads'],
        startTimeout: '60s',
        stopTimeout: '2s',
        ...change.web,
      }
      here.write('Dockerfile', `FROM ${tinyImage}\nCOPY Dockerfile /\n`)
      const made = { build: { dockerfile: 'Dockerfile' }, command: ['sleep', '1000000'], listens: false }
      const environment = {
        name: 'shop',
        engine: { swarm: engine() },
        services: { web, worker: made },
        volumes: { uploads: {} },
        databases: { main: { engine: 'postgres', image: serversImage }, ...change.databases },
        edge: { routes: { '/*': { to: 'web', limit: '100000/s' } } },
      }
      here.write(file, `export default ${JSON.stringify(environment)}\n`)
    }
    const begin = async (): Promise<Place> => {
      const here = await newPlace()
      write(here, 'holdfast.config.ts')
      mustRun(await here.up([], { PATH: path, SECRET: 'real' }))
      return here
    }
    /** Everything that a second environment could have left. */
    const residue = async (here: Place): Promise<readonly string[]> => [
      ...processesWith(join(here.data, 'sandboxes', 'drill')).map((pid) => `process ${pid}`),
      ...(await on('drill').list()),
      ...(existsSync(join(here.data, 'sandboxes')) ? readdirSync(join(here.data, 'sandboxes')) : []),
    ]

    test(
      'is whole and empty, and is gone without a trace; the first one does not notice',
      { timeout },
      async () => {
        const here = await begin()
        expect(await ask(here.edgeUrl)).toEqual({ count: 1, files: 0, secret: 'real' })
        const before = (await on('shop').list()).toSorted()
        const kept = resultOf(here.run('environment', 'rebuild', '--into', 'drill', '--keep', '1h', '--json'))
        expect(kept.phases.map(({ name }) => name)).toEqual('read prepare start services edge'.split(' '))
        expect(kept.isolated).toBe(false)
        expect(kept.notes.join('; ')).toContain('they may reach the network')
        const said = await ask(kept.kept?.url ?? '')
        expect(said).toMatchObject({ count: 1, files: 0 })
        expect(said.secret).toMatch(/^sandbox-/)
        const parts = await on('drill').list()
        const found = new Set(parts.map((each) => each.split(' ')[0]))
        expect([...found]).toEqual(['service', 'container', 'volume', 'image'])
        expect(here.run('environment', 'rebuild-remove', 'drill').code).toBe(0)
        expect(await residue(here)).toEqual([])

        const result = resultOf(here.run('environment', 'rebuild', '--into', 'drill', '--json'))
        expect(result.phases.at(-1)?.name).toBe('remove')
        process.stdout.write(
          `  ${result.phases.map(({ name, seconds }) => `${name} ${seconds} s`).join(', ')}\n`,
        )
        expect(await residue(here)).toEqual([])
        expect((await on('shop').list()).toSorted()).toEqual(before)
        expect(await ask(here.edgeUrl)).toEqual({ count: 2, files: 1, secret: 'real' })
        here.run('down')
      },
    )

    test(
      'is gone, too, when its builder or control is killed, or a service of it does not come up',
      { timeout },
      async () => {
        const here = await begin()
        const record = join(here.data, 'sandboxes', 'drill', 'sandbox.json')
        resultOf(here.run('environment', 'rebuild', '--into', 'drill', '--keep', '1h', '--json'))
        const { builder } = JSON.parse(readFileSync(record, 'utf8')) as { builder: { pid: number } }
        process.kill(builder.pid, 'SIGKILL')
        await until('the sweep', async () => (await residue(here)).length === 0, 90_000)

        const job = await here.client().request('environment.rebuild', { into: 'drill' })
        await until('containers of it', async () => (await on('drill').list()).length > 2, 60_000)
        process.kill(here.pidOf('control'), 'SIGKILL')
        const isDone = async (): Promise<boolean> =>
          (await here.client().call('jobs.get', { job: job.id })).state === 'done'
        await until('the job to be done by the control that follows', isDone, 120_000)
        expect(await residue(here)).toEqual([])

        write(here, 'broken.config.ts', { web: { command: ['sh', '-c', 'echo no ledger; exit 3'] } })
        const failed = here.run('environment', 'rebuild', '--into', 'drill', '--from', 'broken.config.ts')
        expect(failed.err).toContain('services: services.web')
        expect(failed.err).toContain('no ledger')
        expect(await residue(here)).toEqual([])
        expect(await ask(here.edgeUrl)).toMatchObject({ count: 1 })
        here.run('down')
      },
    )

    test('touches nothing of somebody else, whose name it would have', { timeout }, async () => {
      const here = await newPlace()
      const { docker } = swarm.daemons[0]
      const Labels = { 'holdfast.environment': 'drill' }
      await docker.createVolume({ Name: 'drill_precious', Labels })
      write(here, 'holdfast.config.ts')
      const refused = here.run('environment', 'rebuild', '--into', 'drill', '--offline')
      expect(refused.err).toMatch(/something of an environment "drill" on the swarm: volume drill_precious/)
      expect(await on('drill').list()).toEqual(['volume drill_precious'])
      await on('drill').remove()

      const foreign = { engine: 'redis', url: 'redis://somewhere.example' }
      write(here, 'holdfast.config.ts', { databases: { cache: foreign } })
      const unfit = here.run('environment', 'rebuild', '--into', 'drill', '--offline')
      expect(unfit.err).toMatch(/databases\.cache\.image: an empty one would have to take its place, but/)
      expect(await residue(here)).toEqual([])
    })
  })
})
