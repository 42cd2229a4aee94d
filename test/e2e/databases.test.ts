import { chmodSync, existsSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { describeWith } from '../support/describe-with.ts'
import { freePort, mustRun, until, type Place } from '../support/holdfast/index.ts'
import { placesOfTests } from '../support/holdfast/places.ts'

const newPlace = placesOfTests()
const timeout = 150_000

/** Writes one more row or key into the database that a path names, with the URL of its variable, and says how many there are. */
const service = `
import { execFileSync } from 'node:child_process'
import { createServer } from 'node:http'
import { DatabaseSync } from 'node:sqlite'
const run = (program, args, variables = {}) =>
  execFileSync(program, args, { env: { ...process.env, ...variables }, stdio: ['ignore', 'pipe', 'pipe'] }).toString().trim()
const sql = ['CREATE TABLE IF NOT EXISTS t (x int)', 'INSERT INTO t VALUES (1)', 'SELECT count(*) AS n FROM t']
const add = {
  postgres: (url) => run('psql', ['-XqtA', '-v', 'ON_ERROR_STOP=1', '-d', url, ...sql.flatMap((one) => ['-c', one])]),
  redis: (url) => run('redis-cli', ['--no-auth-warning', '-u', url, 'incr', 'n']),
  mysql: (url) => {
    const { hostname, port, username, password, pathname } = new URL(url)
    const where = ['--no-defaults', '-h', hostname, '-P', port, '-u', username]
    return run('mariadb', [...where, '-NB', pathname.slice(1), '-e', sql.join(';')], { MYSQL_PWD: password })
  },
  file: (url) => {
    const database = new DatabaseSync(new URL(url))
    for (const one of sql.slice(0, 2)) database.exec(one)
    return String(database.prepare(sql[2]).get().n)
  },
}
createServer((request, response) => {
  const url = process.env[request.url.slice(1)] ?? ''
  try {
    if (request.url === '/pid') response.end(String(process.pid))
    else if (request.url.startsWith('/say/')) response.end(process.env[request.url.slice(5)])
    else response.end(add[url.split(':')[0]](url))
  } catch (error) {
    response.statusCode = 500
    response.end(String(error.stderr ?? error))
  }
}).listen(Number(process.env.PORT), process.env.HOST)
`

interface Changes {
  readonly databases?: object
  readonly env?: object
  readonly services?: object
}

function environmentFile({ databases = {}, env = {}, services = {} }: Changes): string {
  const web = { command: [process.execPath, 'app.mjs'], startTimeout: '20s', env }
  const environment = {
    name: 'arcade',
    services: { web, ...services },
    databases,
    edge: { routes: { '/*': { to: 'web', limit: '100000/s burst 100000' } } },
  }
  return `export default ${JSON.stringify(environment)}\n`
}

/** With the mode 0755 everybody gets a user of their own, if we are root; with 0700 nobody but root could enter. */
async function placeWith(changes: Changes, mode = 0o700): Promise<Place> {
  const here = await newPlace()
  chmodSync(here.directory, mode)
  here.write('app.mjs', service)
  here.write('holdfast.config.ts', environmentFile(changes))
  return here
}

async function ask(here: Place, path: string): Promise<string> {
  const response = await fetch(`${here.edgeUrl}/${path}`, { signal: AbortSignal.timeout(10_000) })
  const text = await response.text()
  if (!response.ok) throw new Error(`${response.status} ${text}`)
  return text
}

async function isWell(here: Place): Promise<boolean> {
  return (await here.client().call('environment.status', {})).state === 'healthy'
}

async function pidOf(here: Place, name: string): Promise<number> {
  const { services } = await here.client().call('environment.status', {})
  const pid = services.find((each) => each.name === name)?.replicas[0]?.pid
  if (typeof pid !== 'number') throw new Error(`${name} does not run`)
  return pid
}

const answers = (here: Place, path: string, count: number) => async (): Promise<boolean> => {
  const said = Number(await ask(here, path))
  if (said > count) throw new Error(`${path} says ${said}`)
  return said === count
}

async function factsOf(here: Place, kind: string): Promise<readonly Record<string, unknown>[]> {
  const { facts } = await here.client().call('timeline.read', { kind })
  return facts.map(({ data }) => data ?? {})
}

const listeners: Server[] = []
afterEach(async () => {
  for (const listener of listeners.splice(0)) await new Promise((done) => listener.close(done))
})

function listenOn(port: number): Promise<void> {
  const server = createServer((socket) => socket.destroy())
  listeners.push(server)
  return new Promise((done) => server.listen(port, '127.0.0.1', () => done()))
}

const everything = {
  databases: {
    main: { engine: 'postgres', names: ['arcade', 'scores'], settings: { shared_buffers: '16MB' } },
    cache: { engine: 'redis' },
    local: { engine: 'sqlite' },
  },
  env: {
    ARCADE: { database: 'main' },
    SCORES: { database: 'main', name: 'scores' },
    CACHE: { database: 'cache' },
    LOCAL: { database: 'local' },
  },
}
const all = ['ARCADE', 'SCORES', 'CACHE', 'LOCAL']

describeWith(['postgres', 'redis-server'], 'databases that Holdfast runs', () => {
  test('are there within seconds, and keep what they have through every death', { timeout }, async () => {
    const here = await placeWith(everything, 0o755)
    const began = performance.now()
    mustRun(await here.up())
    process.stdout.write(`  fresh environment with databases: ${Math.round(performance.now() - began)} ms\n`)
    for (const name of all) expect(await ask(here, name)).toBe('1')
    const [ready] = (await factsOf(here, 'environment.database-ready')).filter(
      (data) => data['database'] === 'main',
    )
    process.stdout.write(`  PostgreSQL ready after ${String(ready?.['seconds'])} s\n`)
    expect(ready?.['seconds']).toBeLessThan(15)

    process.kill(await pidOf(here, 'main'), 'SIGKILL')
    process.kill(await pidOf(here, 'cache'), 'SIGKILL')
    await until('PostgreSQL after SIGKILL', answers(here, 'ARCADE', 2))
    await until('Redis after SIGKILL', answers(here, 'CACHE', 2))

    await until('all to be well', () => isWell(here))
    const before = await pidOf(here, 'main')
    process.kill(here.pidOf('control'), 'SIGKILL')
    await until('control', async () => (await pidOf(here, 'main')) > 0)
    process.kill(here.pidOf('supervisor'), 'SIGKILL')
    mustRun(await here.up())
    expect(await pidOf(here, 'main')).toBe(before)
    expect(await ask(here, 'ARCADE')).toBe('3')
    const said = await factsOf(here, 'environment.database-ready')
    expect(said.filter((data) => data['database'] === 'main')).toHaveLength(2)

    expect(here.run('down').code).toBe(0)
    mustRun(await here.up())
    expect(await ask(here, 'ARCADE')).toBe('4')
    expect(await ask(here, 'SCORES')).toBe('2')
    expect(await ask(here, 'CACHE')).toBe('3')
    expect(await ask(here, 'LOCAL')).toBe('2')
  })

  test('are listed, restarted and logged like services, and no password is shown', { timeout }, async () => {
    const here = await placeWith(everything)
    mustRun(await here.up())
    const password = new URL(await ask(here, 'say/ARCADE')).password
    expect(password.length).toBeGreaterThan(20)
    const list = here.run('databases')
    expect(list.out).toMatch(
      /main +postgres +1\d\.\d+ +healthy +127\.0\.0\.1:\d+ +arcade, scores +\S+ (Ki|Mi)?B/,
    )
    expect(list.out).toMatch(/local +sqlite .*databases\/local\/files/)
    const status = here.run('status')
    expect(status.out).toMatch(/main +healthy +1 of 1 replica/)
    expect(list.out + status.out + here.run('logs', 'main').out).not.toContain(password)
    expect(here.run('logs', 'main').out).toContain('ready to accept connections')
    const before = await pidOf(here, 'main')
    expect(here.run('restart', 'main').code).toBe(0)
    expect(await pidOf(here, 'main')).not.toBe(before)
    await until('an answer', answers(here, 'ARCADE', 1))
  })

  test('change in place, and go only when they are named', { timeout }, async () => {
    const here = await placeWith(everything, 0o755)
    mustRun(await here.up())
    for (const name of all) expect(await ask(here, name)).toBe('1')
    const { main, ...rest } = everything.databases
    const changed = { ...everything.databases, main: { ...main, settings: { shared_buffers: '32MB' } } }
    here.write('holdfast.config.ts', environmentFile({ ...everything, databases: changed }))
    const planned = here.run('environment', 'plan', '--json')
    const plan = JSON.parse(planned.out) as { hash: string; steps: { object: string; verb: string }[] }
    expect(plan.steps).toMatchObject([{ object: 'database main', verb: 'replace' }])
    expect(here.run('environment', 'apply', plan.hash).code).toBe(0)
    await until('the same data', answers(here, 'ARCADE', 2))

    const others = [{ engine: 'mariadb' }, { engine: 'postgres', version: '99' }]
    for (const main of others) {
      const other = { ...everything.databases, main }
      here.write('holdfast.config.ts', environmentFile({ ...everything, databases: other, env: {} }))
      const refused = here.run('environment', 'plan')
      expect(refused.code).toBe(78)
      const says = main.engine === 'mariadb' ? 'mariadb' : 'postgres 99'
      expect(refused.err).toContain(`and the file says ${says}; they were not touched`)
      expect(refused.err).toMatch(/the data of "main" are of postgres 1\d/)
      const forced = here.run('environment', 'apply', plan.hash, '--destroy', 'database main')
      expect(forced.code).toBe(78)
    }

    const { CACHE, LOCAL } = everything.env
    here.write('holdfast.config.ts', environmentFile({ databases: rest, env: { CACHE, LOCAL } }))
    const gone = JSON.parse(here.run('environment', 'plan', '--json').out) as {
      hash: string
      destroys: string[]
    }
    expect(gone.destroys).toEqual(['database main'])
    const unnamed = here.run('environment', 'apply', gone.hash)
    expect(unnamed.err).toContain('this would destroy data: database main')
    expect(existsSync(join(here.data, 'databases', 'main'))).toBe(true)
    const named = here.run('environment', 'apply', gone.hash, '--destroy', 'database main')
    expect(named.err + named.out).toContain('made')
    expect(existsSync(join(here.data, 'databases', 'main'))).toBe(false)
    await until('the others', answers(here, 'CACHE', 2))
  })
})

describeWith(['mariadbd'], 'MariaDB', () => {
  test('is there within seconds, and keeps what it has', { timeout }, async () => {
    const shop = { databases: { shop: { engine: 'mariadb' } }, env: { SHOP: { database: 'shop' } } }
    const here = await placeWith(shop, 0o755)
    mustRun(await here.up())
    expect(await ask(here, 'SHOP')).toBe('1')
    process.kill(await pidOf(here, 'shop'), 'SIGKILL')
    await until('MariaDB after SIGKILL', answers(here, 'SHOP', 2))
    expect(here.run('down').code).toBe(0)
    mustRun(await here.up())
    expect(await ask(here, 'SHOP')).toBe('3')
  })
})

test(
  'databases that others run are waited for by everybody who needs them, and addressed as written',
  { timeout },
  async () => {
    const port = await freePort()
    const url = `postgres://us%40er:p%2Fa%3As%23s@127.0.0.1:${port}/shop?sslmode=disable`
    const second = {
      command: [process.execPath, 'app.mjs'],
      env: { OTHER: { database: 'outside', name: 'my_app' } },
    }
    const here = await placeWith({
      databases: { outside: { engine: 'postgres', urlVariable: 'OUTSIDE_URL' } },
      env: { SHOP: { database: 'outside' } },
      services: { second },
    })
    expect(here.run('check').err).toContain('the variable OUTSIDE_URL is not set')
    const starting = here.up([], { OUTSIDE_URL: url })
    const says = async (name: string): Promise<string> => {
      const { services } = await here.client().call('environment.status', {})
      return services.find((each) => each.name === name)?.says ?? ''
    }
    await until(
      'both to wait',
      async () => /outside/.test(await says('web')) && /outside/.test(await says('second')),
    )
    expect(await says('web')).toMatch(/waits for outside/)
    await listenOn(port)
    mustRun(await starting)
    expect(await ask(here, 'say/SHOP')).toBe(url)
    expect(here.run('databases').out).toContain(`postgres://127.0.0.1:${port}/shop`)
    expect(here.run('databases').out).not.toContain('p%2Fa')
  },
)

test.each([
  [
    { databases: { main: { engine: 'postgres', version: '99' } } },
    /databases\.main\.version.*\n?.*postgres 99 are not installed[\s\S]*apt-get install postgresql-99/,
  ],
  [{ databases: { web: { engine: 'sqlite' } } }, /a service is called "web" too/],
  [
    { env: { URL: { database: 'mian' } }, databases: { main: { engine: 'sqlite' } } },
    /did you mean "main"\?/,
  ],
  [
    { env: { URL: { database: 'main', name: 'x' } }, databases: { main: { engine: 'sqlite' } } },
    /database "main" has no "x" in it/,
  ],
  [{ databases: { main: { engine: 'redis', names: ['a'] } } }, /databases of Redis have numbers/],
  [{ databases: { main: { engine: 'postgres', url: 'mysql://a/b' } } }, /begins with postgres:/],
  [{ databases: { main: { engine: 'postgres', settings: { port: '1' } } } }, /Holdfast sets this itself/],
])('what cannot be is found before it runs: %j', async (changes: Changes, message) => {
  const here = await placeWith(changes)
  const { code, err } = here.run('check')
  expect(err).toMatch(message)
  expect(code).toBe(78)
})
