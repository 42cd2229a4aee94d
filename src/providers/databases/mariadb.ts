import { dirname } from 'node:path'
import type { DatabaseProvider, ManagedDatabase } from '../../capabilities/environment/ports.ts'
import { findProgram, lastLine, linesOf, refuses, runProgram, type ProgramEnd } from './run-program.ts'
import { startCommand } from './start-script.ts'

const admin = 'holdfast_admin'
const askTimeoutMs = 3000
const provisionTimeoutMs = 10_000
const usualPlaces = ['/usr/sbin', '/usr/bin']

/** The file of first statements is run at each start, and holds a password: nobody but the server may read it. */
const script = `
mariadbd=$1; port=$2; major=$3; shift 3
case "$("$mariadbd" --no-defaults --version)" in
  *" $major."*) ;;
  *) echo "the data are of MariaDB $major, and this is $("$mariadbd" --no-defaults --version)" >&2; exit 78 ;;
esac
PATH="\${mariadbd%/*}:/usr/bin:/usr/sbin:$PATH"
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
exec "$mariadbd" --no-defaults --datadir="$here/data" --bind-address=127.0.0.1 --port="$port" \\
  --socket="$here/socket" --pid-file="$here/pid" --init-file="$here/first.sql" --skip-name-resolve "$@"
`

const quote = (name: string): string => `\`${name.replaceAll('`', '``')}\``
/** In a grant, the name of a database is a pattern. */
const pattern = (name: string): string => quote(name.replaceAll(/[_%\\]/g, String.raw`\$&`))

function provisioning({ name, names, password }: ManagedDatabase): string {
  const user = `'${name}'@'127.0.0.1'`
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
function missing({ name, names }: ManagedDatabase): string {
  const absent = (words: string, where: string): string =>
    `SELECT '${words}' FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM ${where});`
  return [
    absent(`user ${name}`, `mysql.user WHERE User = '${name}' AND Host = '127.0.0.1'`),
    ...names.map((one) =>
      absent(`database ${one}`, `information_schema.SCHEMATA WHERE SCHEMA_NAME = '${one}'`),
    ),
  ].join('\n')
}

function client(
  program: 'mariadb' | 'mariadb-admin',
  { port, adminPassword }: ManagedDatabase,
  run: { readonly args: readonly string[]; readonly input?: string; readonly timeoutMs: number },
): Promise<ProgramEnd> {
  const where = ['--no-defaults', '--protocol=tcp', '-h', '127.0.0.1', '-P', String(port), '-u', admin]
  const { input = '', timeoutMs } = run
  const variables = { MYSQL_PWD: adminPassword }
  return runProgram(program, [...where, ...run.args], { variables, input, timeoutMs })
}

function query(database: ManagedDatabase, input: string): Promise<ProgramEnd> {
  const args = ['--batch', '--skip-column-names', '-D', 'mysql']
  return client('mariadb', database, { args, input, timeoutMs: provisionTimeoutMs })
}

/** MariaDB from Debian's packages, or one whose programs are on a search path (as PATH). */
export function mariadb(searchPath: string): DatabaseProvider {
  return {
    find: async () => {
      const server = await findProgram('mariadbd', usualPlaces, searchPath)
      const needed = ['mariadb', 'mariadb-admin', 'mariadb-install-db']
      const others = await Promise.all(needed.map((each) => findProgram(each, usualPlaces, searchPath)))
      if (server === null || others.includes(null)) return []
      const { out } = await runProgram(server, ['--no-defaults', '--version'], { timeoutMs: askTimeoutMs })
      const version = /Ver ((\d+\.\d+)\.\d+)-MariaDB/.exec(out)
      return version === null
        ? []
        : [{ version: version[1] ?? '', major: version[2] ?? '', directory: dirname(server) }]
    },
    packageOf: () => 'mariadb-server',
    start: ({ place, programs, port, major, settings, adminPassword }) => {
      const set = Object.entries(settings).map(([key, value]) => `--${key}=${value}`)
      const args = [`${programs}/mariadbd`, String(port), major, ...set]
      return {
        command: startCommand({ account: 'mysql', place, script, args, insistsOnPath: true }),
        variables: { HOLDFAST_ADMIN_PASSWORD: adminPassword },
      }
    },
    probe: async (database, timeoutMs) => {
      const end = await client('mariadb-admin', database, { args: ['ping'], timeoutMs })
      return end.code === 0 ? { healthy: true, detail: '' } : { healthy: false, detail: lastLine(end) }
    },
    provision: async (database) => {
      const end = await query(database, provisioning(database))
      const version = /^(\d+\.\d+\.\d+)/m.exec(end.out)?.[1]
      if (end.code !== 0 || version === undefined) throw refuses(database.name, end)
      return version
    },
    missing: async (database) => linesOf(await query(database, missing(database))),
    sizeBytes: async (database) => {
      const all = 'SELECT SUM(DATA_LENGTH + INDEX_LENGTH) FROM information_schema.TABLES;'
      const end = await query(database, all)
      return end.code === 0 ? Number(end.out.trim()) : null
    },
    url: ({ name, port, password }, database) =>
      `mysql://${encodeURIComponent(name)}:${encodeURIComponent(password)}@127.0.0.1:${port}/${encodeURIComponent(database)}`,
  }
}
