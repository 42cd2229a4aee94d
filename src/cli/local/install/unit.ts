import { parseJson } from '../../../server/files/index.ts'

/** What a unit of systemd is to run. All paths absolute. */
export interface UnitParts {
  /** Name of the environment. */
  readonly environment: string
  /** Program and arguments that come before `up`. */
  readonly program: readonly string[]
  readonly config: string
  readonly data: string
  /** Directory of the environment file. */
  readonly directory: string
  /** Where services' programs are found. */
  readonly searchPath: string
  /** File with variables of services (`passEnv`); need not exist. */
  readonly variablesFile: string
  /** Longest that a service may take to stop, milliseconds. */
  readonly stopTimeoutMs: number
}

/** What a unit of ours says about itself. */
export interface InstalledUnit {
  readonly environment: string
  readonly config: string
  readonly data: string
}

const mark = '# holdfast: '
/** Control and edge drain before services are stopped. */
const drainMs = 20_000

/** A word of a command line in a unit, see systemd.syntax(7) and systemd.service(5): `%` and `$` would be replaced. */
function quoted(word: string): string {
  const escaped = word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')
  return /^[\w@/.:+=,-]+$/.test(word) ? word : `"${escaped.replaceAll('$', '$$$$')}"`
}

/** A path where a unit wants one and no command line: no quotes, only `%` is special. */
const plain = (path: string): string => path.replaceAll('%', '%%')

/**
 * The text of a unit, see systemd.service(5). `KillMode=process`: `up` stops everything in order when it is told to, and when
 * it dies itself the services run on and the next `up` finds them.
 */
export function unitText(parts: UnitParts): string {
  const { environment, program, config, data, directory, searchPath, variablesFile, stopTimeoutMs } = parts
  const up = [...program, 'up', '--attach', '--config', config, '--data', data]
  return `# Written by "holdfast install"; "holdfast uninstall" removes it.
${mark}${JSON.stringify({ environment, config, data } satisfies InstalledUnit)}
[Unit]
Description=Holdfast, environment ${environment}
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
WorkingDirectory=${plain(directory)}
Environment=${quoted(`PATH=${searchPath}`)}
EnvironmentFile=-${plain(variablesFile)}
ExecStart=${up.map(quoted).join(' ')}
KillMode=process
TimeoutStopSec=${Math.ceil((stopTimeoutMs + drainMs) / 1000)}
Restart=on-failure
RestartSec=1
RestartPreventExitStatus=2 66 78
OOMPolicy=continue
Delegate=yes
LimitNOFILE=1048576
TasksMax=infinity

[Install]
WantedBy=multi-user.target
`
}

/** What a unit says about itself; undefined when it is none of ours. */
export function readUnit(text: string): InstalledUnit | undefined {
  const line = text.split('\n').find((each) => each.startsWith(mark))
  const { environment, config, data } = (parseJson(line?.slice(mark.length) ?? '') ??
    {}) as Partial<InstalledUnit>
  return typeof environment === 'string' && typeof config === 'string' && typeof data === 'string'
    ? { environment, config, data }
    : undefined
}
