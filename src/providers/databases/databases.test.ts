import { spawn } from 'node:child_process'
import { Redis } from 'ioredis'
import { describeWith } from '../../../test/support/describe-with.ts'
import { testDatabaseServer } from './databases.conformance.ts'
import { databaseServers } from './index.ts'
import { runProgram } from './run-program.ts'

const servers = databaseServers(process.env['PATH'] ?? '')

/** A client of a database's own as it is called, with its variables. */
interface ClientCall {
  readonly program: string
  readonly args: readonly string[]
  readonly variables: Readonly<Record<string, string>>
}

const oneMore = 'CREATE TABLE IF NOT EXISTS t (x int); INSERT INTO t VALUES (1); SELECT count(*) FROM t;\n'

async function countWith({ program, args, variables }: ClientCall): Promise<number> {
  const { code, out, err } = await runProgram(program, args, { input: oneMore, timeoutMs: 10_000, variables })
  if (code !== 0) throw new Error(err)
  return Number(out.trim())
}

/** Leaves the client waiting for its next line, after its first answer. */
async function holdWith({ program, args, variables }: ClientCall): Promise<() => void> {
  const child = spawn(program, [...args], {
    env: { ...process.env, ...variables },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  child.stdin.write('SELECT 1;\n')
  await new Promise((resolve) => child.stdout.once('data', resolve))
  return () => child.kill('SIGKILL')
}

const psql = (url: string): ClientCall => ({
  program: 'psql',
  args: ['-X', '-q', '-t', '-A', '-v', 'ON_ERROR_STOP=1', '-d', url],
  variables: {},
})

function mariadb(url: string): ClientCall {
  const { hostname, port, username, password, pathname } = new URL(url)
  const where = ['--no-defaults', '--protocol=tcp', '-h', hostname, '-P', port, '-u', username]
  return {
    program: 'mariadb',
    args: [...where, '-N', '-B', '--unbuffered', decodeURIComponent(pathname.slice(1))],
    variables: { MYSQL_PWD: decodeURIComponent(password) },
  }
}

async function connect(url: string): Promise<Redis> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

describeWith(['postgres'], 'PostgreSQL', () => {
  testDatabaseServer({
    provider: servers.postgres,
    names: ['main', 'My-app_2'],
    settings: { shared_buffers: '16MB', work_mem: '1MB' },
    write: (url) => countWith(psql(url)),
    hold: (url) => holdWith(psql(url)),
  })
})

describeWith(['mariadbd'], 'MariaDB', () => {
  testDatabaseServer({
    provider: servers.mariadb,
    names: ['main', 'My-app_2'],
    settings: { 'innodb-buffer-pool-size': '16M' },
    write: (url) => countWith(mariadb(url)),
    hold: (url) => holdWith(mariadb(url)),
  })
})

describeWith(['redis-server'], 'Redis', () => {
  testDatabaseServer({
    provider: servers.redis,
    names: [],
    settings: { maxmemory: '64mb' },
    write: async (url) => {
      const client = await connect(url)
      return client.incr('count').finally(() => client.disconnect())
    },
    hold: async (url) => {
      const client = await connect(url)
      return () => client.disconnect()
    },
  })
})
