import { nameFrom } from '../answers.ts'
import { splitCommand } from '../command-line.ts'
import { plainService, type Draft, type Drafted, type Note } from './draft.ts'
import { notImportable } from './refuse.ts'

interface Process {
  readonly name: string
  readonly command: string
}

function readLines(text: string, source: string): readonly Process[] {
  const processes: Process[] = []
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(?:#.*)?$/.test(line)) continue
    const [, name, command] = /^([A-Za-z0-9_-]+)\s*:\s*(\S.*)$/.exec(line) ?? []
    if (name === undefined || command === undefined) {
      throw notImportable(
        `${source}:${index + 1}: "${line.trim().slice(0, 60)}" is no process`,
        'a line of a Procfile is "name: command"',
      )
    }
    if (processes.some((known) => nameFrom(known.name) === nameFrom(name))) {
      throw notImportable(
        `${source}:${index + 1}: "${name}" is named twice`,
        'give each process a name of its own',
      )
    }
    processes.push({ name, command: command.trim() })
  }
  return processes
}

function serviceOf({ name, command }: Process): Drafted {
  const localCommand = command.replaceAll('0.0.0.0', '127.0.0.1')
  return { ...plainService(nameFrom(name), splitCommand(localCommand)), listens: name === 'web' }
}

function notesOf({ name, command }: Process): readonly Note[] {
  const moved = command.includes('0.0.0.0')
    ? [{ about: name, says: 'it listened on 0.0.0.0, where no limit protects it; 127.0.0.1 is written' }]
    : []
  if (name === 'web' || name === 'release') return moved
  return [
    ...moved,
    { about: name, says: 'only "web" is sent requests: it is taken for a worker that serves no port' },
  ]
}

/** Makes a draft of a Procfile: `web` listens on PORT, `release` is said, all others are workers. */
export function draftOfProcfile(text: string, source: string, name: string): Draft {
  const processes = readLines(text, source)
  const running = processes.filter((each) => each.name !== 'release')
  const release = processes.find((each) => each.name === 'release')
  if (running.length === 0) {
    throw notImportable(`${source} names nothing that runs`, 'a line of a Procfile is "web: node server.js"')
  }
  const released =
    release === undefined
      ? []
      : [
          {
            about: 'release',
            says: `"${release.command}" is not run: run it yourself before each new version starts`,
          },
        ]
  return {
    name,
    source,
    services: running.map(serviceOf),
    databases: [],
    routes: running.some((each) => each.name === 'web') ? [{ pattern: '/*', to: 'web' }] : [],
    edgePort: 8080,
    dotEnv: '.env',
    notes: [...released, ...running.flatMap(notesOf)],
  }
}
