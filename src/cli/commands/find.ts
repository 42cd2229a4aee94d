import { closest, HoldfastError } from '../../kernel/std/index.ts'
import type { Command } from './command.ts'

/** A command, with the arguments that follow its words. */
export interface FoundCommand {
  readonly command: Command
  readonly rest: readonly string[]
}

function unknownCommand(argv: readonly string[], table: readonly Command[]): HoldfastError {
  const [first = '', second] = argv.filter((argument) => !argument.startsWith('-'))
  const names = table.map((command) => command.words)
  const meant =
    (second === undefined ? undefined : closest(`${first} ${second}`, names)) ?? closest(first, names)
  return new HoldfastError({
    code: 'cli.unknown-command',
    kind: 'user',
    message: `there is no command "${first}"`,
    hint: meant === undefined ? '"holdfast help" lists the commands' : `did you mean "holdfast ${meant}"?`,
  })
}

/** The command with the most words that the command line begins with. Errors: `cli.unknown-command`. */
export function findCommand(argv: readonly string[], table: readonly Command[]): FoundCommand {
  const matches = table
    .filter((command) => command.words.split(' ').every((word, index) => argv[index] === word))
    .sort((a, b) => b.words.length - a.words.length)
  const command = matches[0]
  if (command === undefined) throw unknownCommand(argv, table)
  return { command, rest: argv.slice(command.words.split(' ').length) }
}
