import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { describeWith } from '../support/describe-with.ts'
import {
  importServersImages,
  newerServersImage,
  otherServersImage,
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

    // What runs on a swarm goes on without its control.
    afterEach(async () => {
      const { docker } = swarm.daemons[0]
      for (const { ID } of await docker.listServices()) await docker.getService(ID).remove()
      await until(
        'containers to go',
        async () => (await docker.listContainers({ all: true })).length === 0,
        60_000,
      )
      for (const { Name } of (await docker.listVolumes()).Volumes) await docker.getVolume(Name).remove()
    }, timeout)

    // Its own end comes before that: what control finds gone it makes again.
    const newPlace = placesOfTests()

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

        const password = new URL(await ask(here, 'say/ARCADE')).password
        const said = ['databases', 'status', 'logs main']
          .map((words) => here.run(...words.split(' ')).out)
          .join('')
        expect(said).not.toContain(password)
        expect(said).toContain('ready to accept connections')

        write(here, { ...everything, main: { ...everything.main, settings: { work_mem: '8MB' } } }, variables)
        expect(plan(here).steps).toMatchObject([{ object: 'database main', verb: 'replace' }])
        const [before] = await containersOf('main')
        await apply(here)
        await until('the same data', answers(here, 'ARCADE', 3), 60_000)
        expect(await containersOf('main')).not.toContain(before)
        here.run('down')
      },
    )

    test('let nobody in from outside but with the password of services', { timeout }, async () => {
      const here = await newPlace()
      write(here, { main: everything.main }, { ARCADE: variables.ARCADE })
      mustRun(await here.up([], { PATH: path }))
      const url = new URL(await ask(here, 'say/ARCADE'))
      const knock = async (user: string, password: string): Promise<string> => {
        const target = Object.assign(new URL(url), { username: user, password })
        const told = promisify(execFile)('psql', ['-XqtA', '-d', target.href, '-c', 'SELECT 1'])
        return told.then(
          ({ stdout }) => stdout.trim(),
          (error: unknown) => String(error),
        )
      }
      expect(await knock(url.username, url.password)).toBe('1')
      expect(await knock(url.username, 'wrong')).toContain('password authentication failed')
      const record = JSON.parse(
        readFileSync(join(here.data, 'databases', 'main', 'record.json'), 'utf8'),
      ) as {
        adminPassword: string
      }
      expect(await knock('holdfast_admin', record.adminPassword)).toContain('pg_hba.conf rejects connection')
      here.run('down')
    })

    test(
      'get a newer minor version with another image, and no other major version',
      { timeout },
      async () => {
        const here = await newPlace()
        const { docker } = swarm.daemons[0]
        const cache = (image: string): object => ({ cache: { engine: 'redis', image } })
        write(here, cache('holdfast-test/none:1'), { CACHE: variables.CACHE })
        expect(here.run('check').err).toContain('docker pull holdfast-test/none:1')
        write(here, cache(tinyImage), { CACHE: variables.CACHE })
        expect(here.run('check').err).toMatch(/has no redis in it/)

        write(here, cache(serversImage), { CACHE: variables.CACHE })
        mustRun(await here.up([], { PATH: path }))
        expect(await ask(here, 'CACHE')).toBe('1')
        write(here, cache(newerServersImage), { CACHE: variables.CACHE })
        await apply(here)
        await until('the same data', answers(here, 'CACHE', 2), 60_000)
        const upgrades = () => factsOf(here, 'environment.database-upgraded')
        await until('the upgrade to be said', async () => (await upgrades()).length > 0, 60_000)
        expect(await upgrades()).toMatchObject([
          { database: 'cache', before: expect.stringMatching(/^7\.0\.15/) as unknown, version: '7.0.16' },
        ])

        write(here, cache(otherServersImage), { CACHE: variables.CACHE })
        expect(here.run('environment', 'plan').err).toMatch(/is redis 8, and the data of "cache" are of 7/)
        expect(await ask(here, 'CACHE')).toBe('3')

        const volume = { name: 'arcade_database.cache' }
        expect(await docker.getVolume(volume.name).inspect()).toMatchObject({
          Labels: { 'holdfast.environment': 'arcade' },
        })
        write(here, {}, {})
        expect(plan(here).destroys).toEqual(['database cache'])
        await apply(here, '--destroy', 'database cache')
        await expect(docker.getVolume(volume.name).inspect()).rejects.toMatchObject({ statusCode: 404 })
        expect(existsSync(join(here.data, 'databases', 'cache'))).toBe(false)
        here.run('down')
      },
    )
  })
})
