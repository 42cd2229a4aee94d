import { describe, expect, test } from 'vitest'
import { operationCatalogue } from '../../contracts/index.ts'
import { createPaper } from '../output/index.ts'
import { commandHelp, commandTable, findCommand, globalFlags, overview } from './index.ts'

const table = commandTable()
const paper = createPaper({ terminal: false, colour: false, nowMs: 0 })

describe('the table of commands', () => {
  test('has one command for every operation that has a form', () => {
    const words = operationCatalogue.flatMap(({ command }) => (command === undefined ? [] : [command.words]))
    expect(table.map((command) => command.words)).toEqual(expect.arrayContaining(words))
  })

  test('has no two commands of the same words', () => {
    const words = table.map((command) => command.words)
    expect(words.filter((each, index) => words.indexOf(each) !== index)).toEqual([])
  })

  test('has no flag that hides a global one, and no letter twice', () => {
    const globals = new Set(globalFlags.map(({ name }) => name))
    for (const { words, flags } of table) {
      expect(flags.filter(({ name }) => globals.has(name)).map(({ name }) => `${words} --${name}`)).toEqual(
        [],
      )
      const letters = flags.flatMap(({ short }) => short ?? [])
      expect(new Set(letters).size).toBe(letters.length)
    }
  })

  test('names only fields that exist by position', () => {
    for (const { flags, positional } of table) {
      for (const field of positional) expect(flags.map((flag) => flag.field)).toContain(field)
    }
  })

  test('finds the command with the most words', () => {
    const { command, rest } = findCommand(['timeline', 'follow', '--severity', 'warning'], table)
    expect(command.words).toBe('timeline follow')
    expect(rest).toEqual(['--severity', 'warning'])
    expect(findCommand(['timeline', '--since', '1h'], table).command.words).toBe('timeline')
  })

  test('says what was meant', () => {
    expect(() => findCommand(['statsu'], table)).toThrowError(
      expect.objectContaining({
        code: 'cli.unknown-command',
        hint: 'did you mean "holdfast status"?',
      }) as Error,
    )
  })
})

describe('the help', () => {
  test('the overview names every command', () => {
    const text = overview(table, paper).join('\n')
    for (const { words } of table) expect(text).toContain(`  ${words} `)
  })

  test('of a command names its usage, flags, operation and limit', () => {
    const { command } = findCommand(['logs'], table)
    const text = commandHelp(command, paper).join('\n')
    expect(text).toContain('Usage: holdfast logs <service> [flags]')
    expect(text).toContain('-f, --follow')
    expect(text).toContain('-n, --lines N')
    expect(text).toContain('environment.logs')
    expect(text).toContain('60/min per caller')
  })
})
