import { usageError, type Flag, type Parsed } from '../arguments/index.ts'
import { lifeCommands } from './life-commands.ts'
import { findDataDirectory } from '../control/index.ts'
import { isSet, numberOf, textOf, type Command } from '../commands/command.ts'

// What a local command stands on (the server, the questions) is loaded when it is called: "holdfast status" is quick.

const portFlag = (name: string, field: string, means: string): Flag => ({
  name,
  field,
  kind: 'integer',
  means,
})

const portFlags: readonly Flag[] = [
  portFlag('edge-port', 'edgePort', 'port of the first listener of the edge, instead of the one in the file'),
  portFlag('control-port', 'controlPort', 'port of the control API and the console'),
]

const upCommand: Command = {
  words: 'up',
  summary: 'Run the environment until Ctrl-C',
  group: 'start',
  positional: [],
  flags: [
    ...portFlags,
    {
      name: 'attach',
      field: 'attach',
      kind: 'boolean',
      means: 'stay with what runs on the data directory already, instead of refusing',
    },
    {
      name: 'take-over',
      field: 'takeOver',
      kind: 'boolean',
      means: 'on Docker Swarm: take over the services that another Holdfast looks after, instead of refusing',
    },
  ],
  run: async (parsed, { directions, voice }) => {
    const { up } = await import('./up.ts')
    const { config, data } = directions
    return up({
      config,
      data,
      edgePort: numberOf(parsed, 'edgePort'),
      controlPort: numberOf(parsed, 'controlPort'),
      json: voice.json,
      attach: isSet(parsed, 'attach'),
      takesOver: isSet(parsed, 'takeOver'),
    })
  },
}

const devCommand: Command = {
  words: 'dev',
  summary: 'Run the environment on a laptop: restart what changes, show all logs, until Ctrl-C',
  group: 'start',
  positional: [],
  flags: [
    ...portFlags,
    {
      name: 'no-watch',
      field: 'unwatched',
      kind: 'list',
      means: 'a service that watches its files itself; may be given several times',
    },
  ],
  details: [
    'Watched are the environment file and the directory of each service, without what .gitignore says.',
    'A changed file restarts its service, a changed environment file is taken over; one that is wrong changes nothing.',
  ],
  run: async (parsed, { directions }) => {
    const { dev } = await import('./dev/index.ts')
    const { config, data } = directions
    const { unwatched } = parsed.values
    return dev({
      config,
      data,
      edgePort: numberOf(parsed, 'edgePort'),
      controlPort: numberOf(parsed, 'controlPort'),
      unwatched: Array.isArray(unwatched) ? unwatched.map(String) : [],
    })
  },
}

const downCommand: Command = {
  words: 'down',
  summary: 'Stop everything that runs on the data directory',
  group: 'start',
  positional: [],
  flags: [],
  run: async (_, { directions, voice }) => {
    const { down } = await import('./down.ts')
    return down(await findDataDirectory(directions), voice)
  },
}

const text = (name: string, means: string): Flag => ({ name, field: name, kind: 'text', means })

const initCommand: Command = {
  words: 'init',
  summary: 'Write a holdfast.config.ts for a service that you have',
  group: 'start',
  positional: [],
  flags: [
    text('from', 'translate a compose.yaml or a Procfile; what cannot be is listed'),
    text('name', 'name of the environment; default: the folder'),
    text('service', 'name of the service; default: web'),
    text('command', 'what Holdfast shall run, as "node server.js"'),
    {
      name: 'port',
      field: 'port',
      kind: 'integer',
      means: 'port on which that insists; default: it listens on $PORT',
    },
    text('address', 'instead of a command: where a service already listens, as http://127.0.0.1:3000'),
    text('health', 'path that answers 2xx or 3xx when it is well, as /healthz'),
    {
      name: 'edge-port',
      field: 'edgePort',
      kind: 'integer',
      fallback: 8080,
      means: 'port on which the edge serves',
    },
    {
      name: 'yes',
      field: 'yes',
      kind: 'boolean',
      short: 'y',
      means: 'ask nothing; take what the folder suggests',
    },
    { name: 'force', field: 'force', kind: 'boolean', means: 'overwrite a file that is there' },
  ],
  details: ['Asks in a terminal what the flags do not say. The file is checked before it counts as written.'],
  run: async (parsed, surroundings) => {
    const { init } = await import('./init/index.ts')
    return init(parsed, surroundings)
  },
}

function serviceOf(parsed: Parsed): string {
  const service = textOf(parsed, 'file')
  if (service !== undefined) return service
  throw usageError('name the service that --live shall start', { hint: 'as "holdfast check web --live"' })
}

const checkCommand: Command = {
  words: 'check',
  summary: 'Check an environment file without touching anything, or with --live how a service behaves',
  group: 'start',
  positional: ['file'],
  flags: [
    text('file', 'default: the nearest holdfast.config.ts; with --live the name of a service'),
    {
      name: 'live',
      field: 'live',
      kind: 'boolean',
      means:
        'start that service alone: does it respect PORT and HOST, drain on SIGTERM, log to standard output?',
    },
    text('slow-path', 'with --live: a path that takes a second or more, to be in flight when it has to end'),
    text('openapi', 'an OpenAPI document (JSON): which of its routes has no route of the edge of its own?'),
  ],
  details: [
    'Exit code 78 when something is wrong with the file, 66 when there is none, 1 when routes of --openapi are not covered',
    'or --live finds something wrong.',
  ],
  run: async (parsed, surroundings) => {
    if (isSet(parsed, 'live')) {
      const { checkLive } = await import('./live/index.ts')
      return checkLive({ service: serviceOf(parsed), slowPath: textOf(parsed, 'slow-path') }, surroundings)
    }
    const { check } = await import('./check.ts')
    return check({ file: textOf(parsed, 'file'), openapi: textOf(parsed, 'openapi') }, surroundings)
  },
}

const doctorCommand: Command = {
  words: 'doctor',
  summary: 'Say what this machine permits, and how to mend what it does not',
  group: 'start',
  positional: [],
  flags: [],
  details: ['Exit code 1 when something would keep Holdfast from running; warnings are no failures.'],
  run: async (_, surroundings) => {
    const { doctor } = await import('./doctor/index.ts')
    return doctor(surroundings)
  },
}

/** What an operation's command does without control, and what one may add to it then. */
interface OfflineForm {
  readonly flags: readonly Flag[]
  readonly details: readonly string[]
  readonly run: Command['run']
}

const offlineFlag = (means: string): Flag => ({ name: 'offline', field: 'offline', kind: 'boolean', means })

const offlineForms: Readonly<Record<string, OfflineForm>> = {
  // For a timeline that is down, or an auditor's copy.
  'timeline verify': {
    flags: [
      offlineFlag('do not ask control: read the timeline in the data directory, or an export'),
      text('file', 'with --offline: an export of JSON lines instead'),
    ],
    details: ['Exit code 1 when the chain is broken.'],
    run: async (parsed, surroundings) => {
      const { verifyOffline } = await import('./verify.ts')
      return verifyOffline(parsed, surroundings)
    },
  },
  // For a machine on which nothing has run yet: a drill has only the file and what was backed up.
  'environment rebuild': {
    flags: [
      offlineFlag('do not ask control: build it from the environment file alone, as on a fresh machine'),
    ],
    details: ['With --offline a second environment that is kept ends with this command, or with Ctrl-C.'],
    run: async (parsed, surroundings) => {
      const { rebuildOffline } = await import('./rebuild.ts')
      return rebuildOffline(parsed, surroundings)
    },
  },
}

/** The command of an operation with what it can do without control, if that is anything. */
export function withOffline(command: Command): Command {
  const form = offlineForms[command.words]
  if (form === undefined) return command
  return {
    ...command,
    flags: [...command.flags, ...form.flags],
    details: [...(command.details ?? []), ...form.details],
    run: async (parsed, surroundings) => {
      const { offline, file, ...values } = parsed.values
      if (offline !== true && file === undefined) return command.run({ ...parsed, values }, surroundings)
      return form.run(parsed, surroundings)
    },
  }
}

const importCommand: Command = {
  words: 'timeline import',
  summary: 'Fill an empty timeline from an export, checking every link',
  group: 'change',
  positional: ['file'],
  flags: [text('file', 'what "holdfast timeline export" wrote')],
  details: ['Control must not run on the data directory, and its timeline must be empty.'],
  run: async (parsed, surroundings) => {
    const { importTimeline } = await import('./import.ts')
    return importTimeline(parsed, surroundings)
  },
}

const simulateCommand: Command = {
  words: 'limits simulate',
  summary:
    'Say whom the limits of an environment file would have refused, from access logs or what the edge recorded',
  group: 'look',
  positional: [],
  flags: [
    {
      name: 'log',
      field: 'log',
      kind: 'list',
      means: 'an access log, plain or .gz; several are replayed in the order given',
    },
    {
      name: 'format',
      field: 'format',
      kind: 'choice',
      choices: ['auto', 'combined', 'caddy', 'json'],
      fallback: 'auto',
      means: 'how it is written: combined is nginx and Apache, json one object a line',
    },
    {
      name: 'since',
      field: 'since',
      kind: 'moment',
      means: 'instead of a log: replay what the edge recorded of its requests since then, as 24h',
    },
    text('host', 'host of the requests, for a log that does not say'),
    text('against', 'an environment file to compare with, as the one of today'),
  ],
  details: [
    'The limits are those of the file that --config names, or else of the nearest holdfast.config.ts.',
    'With --log it works without control, with --since it asks control; it changes nothing.',
  ],
  run: async (parsed, surroundings) => {
    const { simulateLimits } = await import('./simulate/index.ts')
    return simulateLimits(parsed, surroundings)
  },
}

/** The commands that work without control. */
export const localCommands: readonly Command[] = [
  initCommand,
  checkCommand,
  upCommand,
  devCommand,
  downCommand,
  doctorCommand,
  ...lifeCommands,
  importCommand,
  simulateCommand,
]
