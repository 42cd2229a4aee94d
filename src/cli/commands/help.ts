import { placeholder, type Flag } from '../arguments/index.ts'
import { pad, type Paper } from '../output/index.ts'
import type { Command } from './command.ts'
import { globalFlags, versionFlag } from './globals.ts'

const titles: Readonly<Record<Command['group'], string>> = {
  start: 'Run an environment',
  look: 'Look',
  change: 'Change',
  more: 'More',
}

/** `logs <service> [flags]`. */
export function usageOf(command: Command): string {
  const named = command.positional.map((field) => {
    const flag = command.flags.find((each) => each.field === field)
    return flag?.required === true ? `<${flag.name}>` : `[${flag?.name ?? field}]`
  })
  const hasFlags = command.flags.some((flag) => !command.positional.includes(flag.field))
  const rest = command.rest === true ? ['[key=value ...]'] : []
  return ['holdfast', command.words, ...named, ...rest, ...(hasFlags ? ['[flags]'] : [])].join(' ')
}

function flagLabel(flag: Flag): string {
  const short = flag.short === undefined ? '' : `-${flag.short}, `
  return `${short}--${flag.name} ${placeholder(flag)}`.trimEnd()
}

function flagMeaning(flag: Flag): string {
  const fallback =
    flag.fallback === undefined || flag.fallback === false
      ? ''
      : `default: ${JSON.stringify(flag.fallback).replaceAll('"', '')}`
  const needed = flag.required === true ? 'required' : ''
  const notes = [fallback, needed].filter((note) => note !== '').join(', ')
  if (notes === '') return flag.means
  return flag.means === '' ? notes : `${flag.means} (${notes})`
}

function aligned(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.min(34, Math.max(0, ...rows.map(([left]) => left.length)))
  return rows.map(([left, right]) => `  ${pad(left, width)}  ${right}`.trimEnd())
}

/** The overview: `holdfast help`. */
export function overview(table: readonly Command[], paper: Paper): readonly string[] {
  const groups = Object.entries(titles).flatMap(([group, title]) => {
    const rows = table
      .filter((command) => command.group === group)
      .map((command) => [command.words, command.summary] as const)
    return rows.length === 0 ? [] : [paper.paint('strong', title), ...aligned(rows), '']
  })
  return [
    'Holdfast keeps a web service on its rock.',
    '',
    'Usage: holdfast <command> [flags]',
    '',
    ...groups,
    paper.paint('strong', 'Flags of every command'),
    ...aligned([...globalFlags, versionFlag].map((flag) => [flagLabel(flag), flag.means] as const)),
    '',
    '"holdfast help <command>" says more. Exit codes: 0 done, 1 a check failed, 2 wrong usage, 64 to 78 by the',
    'kind of error, 130 interrupted; see docs/reference/exit-codes.md.',
  ]
}

/** The help of one command. */
export function commandHelp(command: Command, paper: Paper): readonly string[] {
  const section = (title: string, flags: readonly Flag[]): readonly string[] =>
    flags.length === 0
      ? []
      : [
          '',
          paper.paint('strong', title),
          ...aligned(flags.map((flag) => [flagLabel(flag), flagMeaning(flag)] as const)),
        ]
  const positional = command.flags.filter((flag) => command.positional.includes(flag.field))
  const named = positional.map((flag) => [flag.name, flagMeaning(flag)] as const)
  return [
    `${command.summary}.`,
    '',
    `Usage: ${usageOf(command)}`,
    ...(named.length === 0 ? [] : ['', paper.paint('strong', 'Arguments'), ...aligned(named)]),
    ...section(
      'Flags',
      command.flags.filter((flag) => !command.positional.includes(flag.field)),
    ),
    ...(command.details === undefined ? [] : ['', ...command.details]),
    '',
    '"holdfast help" lists the flags of every command.',
  ]
}
