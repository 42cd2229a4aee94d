import { dirname } from 'node:path'
import type {
  DatabasePrograms,
  DatabaseProvider,
  ManagedDatabase,
  ProgramEnd,
} from '../../capabilities/environment/ports.ts'
import type { Client } from './client.ts'
import { inImage } from './in-image.ts'
import { findProgram, lastLine, refuses, runProgram } from './run-program.ts'
import { startCommand } from './start-script.ts'

const askTimeoutMs = 2000

/** The title of a process would be written over its environment, by which the supervisor knows it again. */
const script = `
bin=\${1:+$1/}; port=$2; major=$3; address=$4; shift 4
case "$("\${bin}redis-server" --version)" in
  *" v=$major."*) ;;
  *) echo "the data are of Redis $major, and this is $("\${bin}redis-server" --version)" >&2; exit 78 ;;
esac
mkdir -p "$here/data"
{
  printf '%s\\n' 'appendonly yes' "$@"
  printf '%s\\n' "bind $address" "port $port" "dir $here/data" 'daemonize no' 'set-proc-title no' "requirepass $HOLDFAST_PASSWORD"
} > "$here/redis.conf"
unset HOLDFAST_PASSWORD
exec "\${bin}redis-server" "$here/redis.conf"
`

interface Asked {
  readonly command: readonly string[]
  readonly timeoutMs: number
}

async function cli(
  client: Client,
  database: ManagedDatabase,
  { command, timeoutMs }: Asked,
): Promise<ProgramEnd> {
  const { programs, port, password } = database
  const args = ['-h', '127.0.0.1', '-p', String(port), '--no-auth-warning', ...command]
  const variables = { REDISCLI_AUTH: password }
  return client(database, {
    program: 'redis-cli',
    path: `${programs}/redis-cli`,
    args,
    variables,
    timeoutMs,
  })
}

function versionOf(said: string): Pick<DatabasePrograms, 'version' | 'major'> | null {
  const version = /v=((\d+)[\d.]*)/.exec(said)
  return version === null ? null : { version: version[1] ?? '', major: version[2] ?? '' }
}

/** Redis from Debian's packages, or one whose programs are on a search path (as PATH). */
export function redis(searchPath: string, client: Client): DatabaseProvider {
  return {
    versionCommand: inImage(['redis-server', '--version']),
    versionOf,
    find: async () => {
      const server = await findProgram('redis-server', ['/usr/bin'], searchPath)
      if (server === null || (await findProgram('redis-cli', [dirname(server)], '')) === null) return []
      const { out } = await runProgram(server, ['--version'], { timeoutMs: askTimeoutMs })
      const version = versionOf(out)
      return version === null ? [] : [{ ...version, directory: dirname(server) }]
    },
    packageOf: () => 'redis-server',
    start: ({ place, programs, port, major, isContained, settings, password }) => {
      const set = Object.entries(settings).map(([key, value]) => `${key} ${value}`)
      const [bin, address] = isContained ? ['', '0.0.0.0'] : [programs, '127.0.0.1']
      const args = [bin, String(port), major, address, ...set]
      return {
        command: startCommand({ account: 'redis', place, script, args, isContained }),
        variables: { HOLDFAST_PASSWORD: password },
      }
    },
    probe: async (database, timeoutMs) => {
      const end = await cli(client, database, { command: ['ping'], timeoutMs })
      const isWell = end.code === 0 && end.out.trim() === 'PONG'
      return isWell ? { healthy: true, detail: '' } : { healthy: false, detail: lastLine(end) }
    },
    provision: async (database) => {
      const end = await cli(client, database, { command: ['info', 'server'], timeoutMs: askTimeoutMs })
      const version = /^redis_version:(\S+)/m.exec(end.out)?.[1]
      if (end.code !== 0 || version === undefined) throw refuses(database.name, end)
      return version
    },
    missing: async (database) => {
      const { code } = await cli(client, database, { command: ['ping'], timeoutMs: askTimeoutMs })
      return code === 0 ? [] : null
    },
    sizeBytes: async (database) => {
      const asked = { command: ['info', 'persistence'], timeoutMs: askTimeoutMs }
      const { code, out } = await cli(client, database, asked)
      const size = /^aof_current_size:(\d+)/m.exec(out)?.[1]
      return code === 0 && size !== undefined ? Number(size) : null
    },
    url: ({ host, port, password }) => `redis://default:${encodeURIComponent(password)}@${host}:${port}/0`,
  }
}
