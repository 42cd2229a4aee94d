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

/** The screen after everything has started: what runs, where to look, what to try next. */
export function printScreen(terminal: Terminal, screen: Screen): void {
  const { command, locate } = screen
  const [first = ''] = screen.edgeUrls
  const row = (label: string, value: string): void => terminal.line(`  ${label.padEnd(12)} ${value}`)
  const hint = (call: string, why: string): void => terminal.line(`  ${call.padEnd(44)} ${terminal.dim(why)}`)
  terminal.line()
  terminal.line(`${terminal.strong(screen.status.says)}.`)
  terminal.line()
  for (const url of screen.edgeUrls) row('Service', terminal.strong(url))
  row('Console', terminal.strong(screen.consoleUrl))
  row(
    '',
    terminal.dim(`signs you in once, within ten minutes; "${command} sign-in${locate}" makes another link`),
  )
  row('Data, logs', screen.dataDirectory)
  for (const note of screen.status.notes) row('Note', note)
  terminal.line()
  terminal.line('Try next:')
  hint(`curl -i ${first}/`, 'a request through the edge')
  hint(`${command} status${locate}`, 'what runs')
  hint(`${command} limits${locate}`, 'what is limited, and what is refused')
  hint(`${command} timeline follow${locate}`, 'what happens, as it happens')
  terminal.line()
  terminal.line(terminal.dim('Ctrl-C stops everything.'))
}
