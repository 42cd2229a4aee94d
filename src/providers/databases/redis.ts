import { dirname } from 'node:path'
import type { DatabaseProvider, ManagedDatabase } from '../../capabilities/environment/ports.ts'
import { findProgram, lastLine, refuses, runProgram, type ProgramEnd } from './run-program.ts'
import { startCommand } from './start-script.ts'

const askTimeoutMs = 2000

/** The title of a process would be written over its environment, by which the supervisor knows it again. */
const script = `
bin=$1; port=$2; major=$3; shift 3
case "$("$bin/redis-server" --version)" in
  *" v=$major."*) ;;
  *) echo "the data are of Redis $major, and this is $("$bin/redis-server" --version)" >&2; exit 78 ;;
esac
mkdir -p "$here/data"
{
  printf '%s\\n' 'appendonly yes' "$@"
  printf '%s\\n' 'bind 127.0.0.1' "port $port" "dir $here/data" 'daemonize no' 'set-proc-title no' "requirepass $HOLDFAST_PASSWORD"
} > "$here/redis.conf"
unset HOLDFAST_PASSWORD
exec "$bin/redis-server" "$here/redis.conf"
`

async function cli(
  { programs, port, password }: ManagedDatabase,
  command: readonly string[],
  timeoutMs: number,
): Promise<ProgramEnd> {
  const args = ['-h', '127.0.0.1', '-p', String(port), '--no-auth-warning', ...command]
  return runProgram(`${programs}/redis-cli`, args, { variables: { REDISCLI_AUTH: password }, timeoutMs })
}

/** Redis from Debian's packages, or one whose programs are on a search path (as PATH). */
export function redis(searchPath: string): DatabaseProvider {
  return {
    find: async () => {
      const server = await findProgram('redis-server', ['/usr/bin'], searchPath)
      if (server === null || (await findProgram('redis-cli', [dirname(server)], '')) === null) return []
      const { out } = await runProgram(server, ['--version'], { timeoutMs: askTimeoutMs })
      const version = /v=((\d+)[\d.]*)/.exec(out)
      return version === null
        ? []
        : [{ version: version[1] ?? '', major: version[2] ?? '', directory: dirname(server) }]
    },
    packageOf: () => 'redis-server',
    start: ({ place, programs, port, major, settings, password }) => {
      const set = Object.entries(settings).map(([key, value]) => `${key} ${value}`)
      const args = [programs, String(port), major, ...set]
      return {
        command: startCommand({ account: 'redis', place, script, args }),
        variables: { HOLDFAST_PASSWORD: password },
      }
    },
    probe: async (database, timeoutMs) => {
      const end = await cli(database, ['ping'], timeoutMs)
      const isWell = end.code === 0 && end.out.trim() === 'PONG'
      return isWell ? { healthy: true, detail: '' } : { healthy: false, detail: lastLine(end) }
    },
    provision: async (database) => {
      const end = await cli(database, ['info', 'server'], askTimeoutMs)
      const version = /^redis_version:(\S+)/m.exec(end.out)?.[1]
      if (end.code !== 0 || version === undefined) throw refuses(database.name, end)
      return version
    },
    missing: async (database) => ((await cli(database, ['ping'], askTimeoutMs)).code === 0 ? [] : null),
    sizeBytes: async (database) => {
      const { code, out } = await cli(database, ['info', 'persistence'], askTimeoutMs)
      const size = /^aof_current_size:(\d+)/m.exec(out)?.[1]
      return code === 0 && size !== undefined ? Number(size) : null
    },
    url: ({ port, password }) => `redis://default:${encodeURIComponent(password)}@127.0.0.1:${port}/0`,
  }
}
