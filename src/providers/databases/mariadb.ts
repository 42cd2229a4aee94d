import { dirname } from 'node:path'
import type {
  DatabasePrograms,
  DatabaseProvider,
  ManagedDatabase,
  ProgramEnd,
} from '../../capabilities/environment/ports.ts'
import type { Client } from './client.ts'
import { inImage } from './in-image.ts'
import { findProgram, lastLine, linesOf, refuses, runProgram } from './run-program.ts'
import { startCommand } from './start-script.ts'

const admin = 'holdfast_admin'
const askTimeoutMs = 3000
const provisionTimeoutMs = 10_000
const usualPlaces = ['/usr/sbin', '/usr/bin']

/** The file of first statements is run at each start, and holds a password: nobody but the server may read it. */
const script = `
bin=$1; port=$2; major=$3; address=$4; shift 4
PATH="\${bin:+$bin:}/usr/bin:/usr/sbin:$PATH"
case "$(mariadbd --no-defaults --version)" in
  *" $major."*) ;;
  *) echo "the data are of MariaDB $major, and this is $(mariadbd --no-defaults --version)" >&2; exit 78 ;;
esac
[ "$(id -u)" != 0 ] || set -- --user=root "$@"
if [ ! -e "$here/data" ]; then
  rm -rf "$here/fresh"
  mariadb-install-db --no-defaults --datadir="$here/fresh" --auth-root-authentication-method=normal --skip-test-db --skip-name-resolve \
    $([ "$(id -u)" != 0 ] || echo --user=root)
  mv "$here/fresh" "$here/data"
fi
cat > "$here/first.sql" <<SQL
DROP USER IF EXISTS 'root'@'127.0.0.1', 'root'@'::1', 'root'@'localhost', ''@'localhost';
CREATE USER IF NOT EXISTS '${admin}'@'127.0.0.1';
ALTER USER '${admin}'@'127.0.0.1' IDENTIFIED BY '$HOLDFAST_ADMIN_PASSWORD';
GRANT ALL ON *.* TO '${admin}'@'127.0.0.1' WITH GRANT OPTION;
SQL
unset HOLDFAST_ADMIN_PASSWORD
exec mariadbd --no-defaults --datadir="$here/data" --bind-address="$address" --port="$port" \\
  --socket="$here/socket" --pid-file="$here/pid" --init-file="$here/first.sql" --skip-name-resolve "$@"
`

const quote = (name: string): string => `\`${name.replaceAll('`', '``')}\``
/** In a grant, the name of a database is a pattern. */
const pattern = (name: string): string => quote(name.replaceAll(/[_%\\]/g, String.raw`\$&`))

/** Holdfast itself comes from the same machine or container only, services in containers from other ones. */
const hostOf = (isContained: boolean): string => (isContained ? '%' : '127.0.0.1')

function provisioning({ name, names, password, isContained }: ManagedDatabase): string {
  const user = `'${name}'@'${hostOf(isContained)}'`
  return [
    `CREATE USER IF NOT EXISTS ${user};`,
    `ALTER USER ${user} IDENTIFIED BY '${password}';`,
    ...names.flatMap((one) => [
      `CREATE DATABASE IF NOT EXISTS ${quote(one)} CHARACTER SET utf8mb4;`,
      `GRANT ALL ON ${pattern(one)}.* TO ${user};`,
    ]),
    'SELECT VERSION();',
  ].join('\n')
}

/** A line for each that is not there. */
function missing({ name, names, isContained }: ManagedDatabase): string {
  const absent = (words: string, where: string): string =>
    `SELECT '${words}' FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM ${where});`
  return [
    absent(`user ${name}`, `mysql.user WHERE User = '${name}' AND Host = '${hostOf(isContained)}'`),
    ...names.map((one) =>
      absent(`database ${one}`, `information_schema.SCHEMATA WHERE SCHEMA_NAME = '${one}'`),
    ),
  ].join('\n')
}

interface Asked {
  readonly program: 'mariadb' | 'mariadb-admin'
  readonly args: readonly string[]
  readonly input?: string
  readonly timeoutMs: number
}

function ask(client: Client, database: ManagedDatabase, asked: Asked): Promise<ProgramEnd> {
  const { port, adminPassword } = database
  const where = ['--no-defaults', '--protocol=tcp', '-h', '127.0.0.1', '-P', String(port), '-u', admin]
  return client(database, {
    ...asked,
    args: [...where, ...asked.args],
    variables: { MYSQL_PWD: adminPassword },
  })
}

function query(client: Client, database: ManagedDatabase, input: string): Promise<ProgramEnd> {
  const args = ['--batch', '--skip-column-names', '-D', 'mysql']
  return ask(client, database, { program: 'mariadb', args, input, timeoutMs: provisionTimeoutMs })
}

function versionOf(said: string): Pick<DatabasePrograms, 'version' | 'major'> | null {
  const version = /Ver ((\d+\.\d+)\.\d+)-MariaDB/.exec(said)
  return version === null ? null : { version: version[1] ?? '', major: version[2] ?? '' }
}

/** MariaDB from Debian's packages, or one whose programs are on a search path (as PATH). */
export function mariadb(searchPath: string, client: Client): DatabaseProvider {
  return {
    versionCommand: inImage(['mariadbd', '--no-defaults', '--version']),
    versionOf,
    find: async () => {
      const server = await findProgram('mariadbd', usualPlaces, searchPath)
      const needed = ['mariadb', 'mariadb-admin', 'mariadb-install-db']
      const others = await Promise.all(needed.map((each) => findProgram(each, usualPlaces, searchPath)))
      if (server === null || others.includes(null)) return []
      const { out } = await runProgram(server, ['--no-defaults', '--version'], { timeoutMs: askTimeoutMs })
      const version = versionOf(out)
      return version === null ? [] : [{ ...version, directory: dirname(server) }]
    },
    packageOf: () => 'mariadb-server',
    start: ({ place, programs, port, major, isContained, settings, adminPassword }) => {
      const set = Object.entries(settings).map(([key, value]) => `--${key}=${value}`)
      const [bin, address] = isContained ? ['', '0.0.0.0'] : [programs, '127.0.0.1']
      const args = [bin, String(port), major, address, ...set]
      const start = { account: 'mysql', place, script, args, isContained, insistsOnPath: true }
      return {
        command: startCommand(start),
        variables: { HOLDFAST_ADMIN_PASSWORD: adminPassword },
      }
    },
    probe: async (database, timeoutMs) => {
      const end = await ask(client, database, { program: 'mariadb-admin', args: ['ping'], timeoutMs })
      return end.code === 0 ? { healthy: true, detail: '' } : { healthy: false, detail: lastLine(end) }
    },
    provision: async (database) => {
      const end = await query(client, database, provisioning(database))
      const version = /^(\d+\.\d+\.\d+)/m.exec(end.out)?.[1]
      if (end.code !== 0 || version === undefined) throw refuses(database.name, end)
      return version
    },
    missing: async (database) => linesOf(await query(client, database, missing(database))),
    sizeBytes: async (database) => {
      const all = 'SELECT SUM(DATA_LENGTH + INDEX_LENGTH) FROM information_schema.TABLES;'
      const end = await query(client, database, all)
      return end.code === 0 ? Number(end.out.trim()) : null
    },
    url: ({ name, host, port, password }, database) =>
      `mysql://${encodeURIComponent(name)}:${encodeURIComponent(password)}@${host}:${port}/${encodeURIComponent(database)}`,
  }
}
