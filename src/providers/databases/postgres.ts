import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type {
  DatabasePrograms,
  DatabaseProvider,
  ManagedDatabase,
} from '../../capabilities/environment/ports.ts'
import { findProgram, lastLine, linesOf, refuses, runProgram, type ProgramEnd } from './run-program.ts'
import { startCommand } from './start-script.ts'

/** Debian keeps each major version in a directory of its own. */
const debianDirectory = '/usr/lib/postgresql'
const admin = 'holdfast_admin'
const askTimeoutMs = 2000
const provisionTimeoutMs = 10_000

/**
 * A lock file that an earlier life left names a pid that may be somebody else's by now (a container gives out the same
 * ones again); only a process that stands in this very directory is the server before.
 */
const script = `
bin=$1; port=$2; shift 2
if [ ! -e "$here/data" ]; then
  rm -rf "$here/fresh"
  printf %s "$HOLDFAST_ADMIN_PASSWORD" | "$bin/initdb" -D "$here/fresh" --username=${admin} --pwfile=/dev/stdin \\
    --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --no-instructions
  mv "$here/fresh" "$here/data"
fi
if [ -e "$here/data/postmaster.pid" ] && [ -d /proc/self ]; then
  read -r pid < "$here/data/postmaster.pid" || true
  [ "/proc/$pid/cwd/PG_VERSION" -ef "$here/data/PG_VERSION" ] || rm -f "$here/data/postmaster.pid"
fi
unset HOLDFAST_ADMIN_PASSWORD
exec "$bin/postgres" -D "$here/data" -c listen_addresses=127.0.0.1 -c "port=$port" -c unix_socket_directories= "$@"
`

async function installed(directory: string): Promise<DatabasePrograms | null> {
  const needed = ['postgres', 'initdb', 'psql', 'pg_isready']
  const found = await Promise.all(needed.map((program) => findProgram(program, [directory], '')))
  if (found.includes(null)) return null
  const { out } = await runProgram(join(directory, 'postgres'), ['--version'], { timeoutMs: askTimeoutMs })
  const version = /(\d+)(?:\.\d+)?/.exec(out)
  return version === null ? null : { version: version[0], major: version[1] ?? '', directory }
}

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** Nothing of it ends in the log of the server, not even when it fails. */
function provisioning({ name, names, password }: ManagedDatabase): string {
  return [
    'SET log_min_error_statement = panic;',
    "SET log_statement = 'none';",
    `SELECT 'CREATE ROLE ' || quote_ident(${literal(name)}) WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = ${literal(name)}) \\gexec`,
    `ALTER ROLE ${quote(name)} LOGIN PASSWORD ${literal(password)};`,
    ...names.map(
      (one) =>
        `SELECT 'CREATE DATABASE ' || quote_ident(${literal(one)}) || ' OWNER ' || quote_ident(${literal(name)}) WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = ${literal(one)}) \\gexec`,
    ),
    'SHOW server_version_num;',
  ].join('\n')
}

/** A line for each that is not there. */
function missing({ name, names }: ManagedDatabase): string {
  const absent = (words: string, where: string): string =>
    `SELECT ${literal(words)} WHERE NOT EXISTS (SELECT FROM ${where});`
  return [
    absent(`user ${name}`, `pg_roles WHERE rolname = ${literal(name)} AND rolcanlogin`),
    ...names.map((one) => absent(`database ${one}`, `pg_database WHERE datname = ${literal(one)}`)),
  ].join('\n')
}

function psql({ programs, port, adminPassword }: ManagedDatabase, input: string): Promise<ProgramEnd> {
  const flags = ['--no-psqlrc', '--quiet', '--tuples-only', '--no-align', '--set', 'ON_ERROR_STOP=1']
  const where = ['-h', '127.0.0.1', '-p', String(port), '-U', admin, '-d', 'postgres']
  const variables = { PGPASSWORD: adminPassword }
  return runProgram(join(programs, 'psql'), [...flags, ...where], {
    variables,
    input,
    timeoutMs: provisionTimeoutMs,
  })
}

/** PostgreSQL from Debian's packages, or one whose programs are on a search path (as PATH). */
export function postgres(searchPath: string): DatabaseProvider {
  return {
    find: async () => {
      const majors = await readdir(debianDirectory).catch((): string[] => [])
      const places = majors.map((major) => join(debianDirectory, major, 'bin'))
      const found = await Promise.all([...places, ...searchPath.split(':')].map(installed))
      const all = found.filter((programs) => programs !== null)
      return all
        .filter(({ major }, index) => all.findIndex((other) => other.major === major) === index)
        .toSorted((a, b) => Number(b.major) - Number(a.major))
    },
    packageOf: (major) => (major === null ? 'postgresql' : `postgresql-${major}`),
    start: ({ place, programs, port, settings, adminPassword }) => {
      const set = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])
      const args = [programs, String(port), ...set]
      return {
        command: startCommand({ account: 'postgres', place, script, args }),
        variables: { HOLDFAST_ADMIN_PASSWORD: adminPassword },
        // Fast shutdown: SIGTERM would wait until every client has gone by itself.
        stopSignal: 'SIGINT',
      }
    },
    probe: async ({ programs, port }, timeoutMs) => {
      const seconds = String(Math.max(1, Math.floor(timeoutMs / 1000)))
      // Without a name it asks for that of our account, and as a user of our own we have none.
      const args = ['-h', '127.0.0.1', '-p', String(port), '-U', admin, '-t', seconds]
      const end = await runProgram(join(programs, 'pg_isready'), args, { timeoutMs })
      return end.code === 0 ? { healthy: true, detail: '' } : { healthy: false, detail: lastLine(end) }
    },
    provision: async (database) => {
      const end = await psql(database, provisioning(database))
      const version = /^(\d+)$/.exec(end.out.trim())?.[1]
      if (end.code !== 0 || version === undefined) throw refuses(database.name, end)
      return `${Math.floor(Number(version) / 10_000)}.${Number(version) % 10_000}`
    },
    missing: async (database) => linesOf(await psql(database, missing(database))),
    sizeBytes: async (database) => {
      const end = await psql(database, 'SELECT sum(pg_database_size(oid)) FROM pg_database;')
      return end.code === 0 ? Number(end.out.trim()) : null
    },
    url: ({ name, port, password }, database) =>
      `postgres://${encodeURIComponent(name)}:${encodeURIComponent(password)}@127.0.0.1:${port}/${encodeURIComponent(database)}`,
  }
}
