import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeWith } from '../support/describe-with.ts'
import {
  importServersImages,
  newerServersImage,
  serversImage,
  startSwarm,
  swarmPrograms,
  tinyImage,
  whyNoSwarm,
  type Swarm,
} from '../support/docker/index.ts'
import { mustRun, until, type Place } from '../support/holdfast/index.ts'
import { placesOfTests } from '../support/holdfast/places.ts'

const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts')
const path = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`
const timeout = 300_000

/** Writes one more row or key into the database whose URL is in a variable, and says how many there are. */
const service = `
const { execFileSync } = require('node:child_process')
const run = (program, args, variables = {}) =>
  execFileSync(program, args, { env: { ...process.env, ...variables }, stdio: ['ignore', 'pipe', 'pipe'] }).toString().trim()
const sql = ['CREATE TABLE IF NOT EXISTS t (x int)', 'INSERT INTO t VALUES (1)', 'SELECT count(*) AS n FROM t']
const add = {
  postgres: (url) => run('/usr/lib/postgresql/15/bin/psql', ['-XqtA', '-v', 'ON_ERROR_STOP=1', '-d', url, ...sql.flatMap((one) => ['-c', one])]),
  redis: (url) => run('redis-cli', ['--no-auth-warning', '-u', url, 'incr', 'n']),
  mysql: (url) => {
    const { hostname, port, username, password, pathname } = new URL(url)
    const where = ['--no-defaults', '-h', hostname, '-P', port, '-u', username]
    return run('mariadb', [...where, '-NB', pathname.slice(1), '-e', sql.join(';')], { MYSQL_PWD: password })
  },
}
require('node:http').createServer((request, response) => {
  const url = process.env[request.url.slice(1)] ?? ''
  try {
    if (request.url.startsWith('/say/')) response.end(process.env[request.url.slice(5)])
    else response.end(add[url.split(':')[0]](url))
  } catch (error) {
    response.statusCode = 500
    response.end(String(error.stderr ?? error))
  }
}).listen(Number(process.env.PORT), process.env.HOST)
`

const everything = {
  main: { engine: 'postgres', image: serversImage, names: ['arcade', 'scores'] },
  shop: { engine: 'mariadb', image: serversImage },
  cache: { engine: 'redis', image: serversImage },
}
const variables = {
  ARCADE: { database: 'main' },
  SCORES: { database: 'main', name: 'scores' },
  SHOP: { database: 'shop' },
  CACHE: { database: 'cache' },
}

async function ask(here: Place, what: string): Promise<string> {
  const response = await fetch(`${here.edgeUrl}/${what}`, { signal: AbortSignal.timeout(20_000) })
  const text = await response.text()
  if (!response.ok) throw new Error(`${response.status} ${text}`)
  return text
}

const answers = (here: Place, what: string, count: number) => async (): Promise<boolean> => {
  const said = Number(await ask(here, what))
  if (said > count) throw new Error(`${what} says ${said}`)
  return said === count
}

async function factsOf(here: Place, kind: string): Promise<readonly Record<string, unknown>[]> {
  const { facts } = await here.client().call('timeline.read', { kind })
  return facts.map(({ data }) => data ?? {})
}

interface Plan {
  readonly hash: string
  readonly steps: readonly { readonly object: string; readonly verb: string }[]
  readonly destroys: readonly string[]
}

describe.skipIf(whyNoSwarm !== null)(`namespaces (${whyNoSwarm ?? 'there are'})`, () => {
  const servers = ['postgres', 'mariadbd', 'redis-server'] as const
  describeWith([...swarmPrograms, ...servers], 'databases on a swarm', (paths) => {
    const newPlace = placesOfTests()
    let swarm: Swarm
    beforeAll(async () => {
      swarm = await startSwarm(paths)
      const programs = [
        '/usr/lib/postgresql/15/bin/postgres',
        '/usr/lib/postgresql/15/bin/psql',
        '/usr/sbin/mariadbd',
        '/usr/bin/mariadb',
        '/usr/bin/mariadb-admin',
        '/usr/bin/redis-server',
        '/usr/bin/redis-cli',
      ]
      await importServersImages(swarm.daemons[0].docker, programs)
    }, timeout)
    afterAll(() => swarm.stop(), timeout)

    const write = (here: Place, databases: object, env: object): void => {
      const web = {
        command: ['node', '-e', service],
        image: serversImage,
        startTimeout: '30s',
        stopTimeout: '2s',
        env,
      }
      const environment = {
        name: 'arcade',
        engine: { swarm: `unix://${swarm.daemons[0].socketPath}` },
        services: { web: { ...web, deploy: { canary: { for: '0s' }, drain: '200ms' } } },
        databases,
        edge: { routes: { '/*': { to: 'web', limit: '100000/s burst 100000' } } },
      }
      here.write('holdfast.config.ts', `export default ${JSON.stringify(environment)}\n`)
    }
    const plan = (here: Place): Plan => {
      const { out, err } = here.run('environment', 'plan', '--json')
      if (out === '') throw new Error(err)
      return JSON.parse(out) as Plan
    }
    const apply = async (here: Place, ...flags: readonly string[]): Promise<string> => {
      const args = [main, 'environment', 'apply', plan(here).hash, ...flags]
      return (await promisify(execFile)(process.execPath, args, { cwd: here.directory })).stdout
    }
    const containersOf = async (name: string): Promise<readonly string[]> => {
      const label = ['holdfast.environment=arcade', `holdfast.service=${name}`]
      const found = await swarm.daemons[0].docker.listContainers({ filters: { label } })
      return found.map(({ Id }) => Id)
    }

    test(
      'are made, found by services, kept through every death, renewed and removed',
      { timeout },
      async () => {
        const here = await newPlace()
        const { docker, address } = swarm.daemons[0]
        write(here, everything, variables)
        const began = performance.now()
        mustRun(await here.up([], { PATH: path }))
        process.stdout.write(
          `  fresh environment with three databases: ${Math.round(performance.now() - began)} ms\n`,
        )
        for (const name of Object.keys(variables)) expect(await ask(here, name)).toBe('1')
        expect(new URL(await ask(here, 'say/ARCADE')).hostname).toBe(address)
        expect(here.run('databases').out).toMatch(
          new RegExp(`main +postgres +15\\.\\d+ +healthy +${address}:1\\d{4} `),
        )

        for (const name of Object.keys(everything)) {
          for (const id of await containersOf(name)) await docker.getContainer(id).kill()
        }
        for (const name of Object.keys(variables))
          await until(`${name} after SIGKILL`, answers(here, name, 2), 60_000)
      },
    )
  })
})
