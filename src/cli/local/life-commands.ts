import type { Flag } from '../arguments/index.ts'
import type { Command } from '../commands/command.ts'

// As in `commands.ts`: what a command stands on is loaded when it is called.

const text = (name: string, field: string, means: string): Flag => ({ name, field, kind: 'text', means })
const boolean = (name: string, means: string): Flag => ({ name, field: name, kind: 'boolean', means })

const nameFlag = text('name', 'name', 'name of the unit, without ".service"; default: holdfast-<environment>')
const rootFlag = text(
  'root',
  'root',
  'root of another file system, in which no systemd runs; default: this one',
)

const installCommand: Command = {
  words: 'install',
  summary: 'Let systemd run the environment, now and whenever the machine starts',
  group: 'start',
  positional: [],
  flags: [nameFlag, boolean('print', 'print the unit and touch nothing'), rootFlag],
  details: [
    'Needs root. What runs on the data directory already runs on, and belongs to systemd from then on.',
  ],
  run: async (parsed, surroundings) => {
    const { install } = await import('./install/index.ts')
    return install(parsed, surroundings)
  },
}

const uninstallCommand: Command = {
  words: 'uninstall',
  summary: 'Stop the environment and take it from systemd',
  group: 'start',
  positional: [],
  flags: [
    nameFlag,
    boolean('purge', 'remove the data directory as well, with all that happened'),
    text('yes-destroy', 'yesDestroy', 'name of the environment, for --purge where nobody can be asked'),
    rootFlag,
  ],
  run: async (parsed, surroundings) => {
    const { uninstall } = await import('./install/index.ts')
    return uninstall(parsed, surroundings)
  },
}

const upgradeCommand: Command = {
  words: 'upgrade',
  summary: 'Let another installation run the environment, and go back if it does not get healthy',
  group: 'start',
  positional: [],
  flags: [
    {
      ...text(
        'to',
        'to',
        'the other: a clone, a project with it in node_modules, or a package as npm packs it (.tgz)',
      ),
      required: true,
    },
  ],
  details: [
    'A package is installed by npm into a directory beside it first, without running scripts.',
    'Services run on meanwhile and no connection is refused. Exit code 1 when it went back.',
    'To be called from the installation that runs, for that is what it goes back to.',
  ],
  run: async (parsed, surroundings) => {
    const { upgrade } = await import('./upgrade/index.ts')
    return upgrade(parsed, surroundings)
  },
}

const takeOverCommand: Command = {
  words: 'take-over',
  summary: 'Run with this installation what another one runs on the data directory',
  group: 'more',
  positional: [],
  flags: [
    text('because', 'because', 'why, for the timeline'),
    {
      name: 'stores',
      field: 'stores',
      kind: 'choice',
      choices: ['leave', 'keep'],
      fallback: 'leave',
      means: 'keep: put a copy of the stores aside first',
    },
  ],
  details: ['"holdfast upgrade" calls it and watches over it; by itself it does not go back.'],
  run: async (parsed, surroundings) => {
    const { takeOverHere } = await import('./upgrade/index.ts')
    return takeOverHere(parsed, surroundings)
  },
}

/** The commands for what comes after the first try: installed, upgraded, removed. */
export const lifeCommands: readonly Command[] = [
  installCommand,
  uninstallCommand,
  upgradeCommand,
  takeOverCommand,
]
