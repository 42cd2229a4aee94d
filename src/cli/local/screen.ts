import type { EnvironmentStatus } from '../../contracts/index.ts'
import type { Terminal } from './terminal.ts'

/** What the one short screen says. */
export interface Screen {
  readonly status: EnvironmentStatus
  readonly edgeUrls: readonly string[]
  readonly consoleUrl: string
  readonly dataDirectory: string
  /** How the command line is called here: `bin/holdfast` or `npx holdfast`. */
  readonly command: string
  /** What must be added to commands so that they find this environment, or nothing. */
  readonly locate: string
}

/** A command and what it is good for. */
type Hint = readonly [call: string, why: string]

/** Side by side where the longest fits, else the purpose above the command: what one copies stays on one line. */
function hintLines(hints: readonly Hint[], terminal: Terminal): readonly string[] {
  const callColumns = Math.max(...hints.map(([call]) => call.length))
  const whyColumns = Math.max(...hints.map(([, why]) => why.length))
  return callColumns + whyColumns + 5 <= terminal.width
    ? hints.map(([call, why]) => `  ${call.padEnd(callColumns)}   ${terminal.dim(why)}`)
    : hints.flatMap(([call, why]) => [`  ${terminal.dim(`${why}:`)}`, `    ${call}`])
}

function hintsOf({ command, locate, edgeUrls: [first = ''] }: Screen): readonly Hint[] {
  return [
    [`curl -i ${first}/`, 'a request through the edge'],
    [`${command} status${locate}`, 'what runs'],
    [`${command} limits${locate}`, 'what is limited, and what is refused'],
    [`${command} timeline follow${locate}`, 'what happens, as it happens'],
  ]
}

/** The screen after everything has started: what runs, where to look, what to try next. */
export function printScreen(terminal: Terminal, screen: Screen): void {
  const row = (label: string, value: string): void => terminal.line(`  ${label.padEnd(12)} ${value}`)
  terminal.line()
  terminal.line(`${terminal.strong(screen.status.says)}.`)
  terminal.line()
  for (const url of screen.edgeUrls) row('Service', terminal.strong(url))
  row('Data, logs', screen.dataDirectory)
  for (const note of screen.status.notes) row('Note', note)
  terminal.line()
  terminal.line('Console, signed in by this link once, within ten minutes:')
  terminal.line(`  ${terminal.strong(screen.consoleUrl)}`)
  terminal.line(`  ${terminal.dim('another link:')} ${screen.command} sign-in${screen.locate}`)
  terminal.line()
  terminal.line('Try next, in a second terminal:')
  for (const line of hintLines(hintsOf(screen), terminal)) terminal.line(line)
  terminal.line()
  terminal.line(terminal.dim('Ctrl-C stops everything.'))
}
