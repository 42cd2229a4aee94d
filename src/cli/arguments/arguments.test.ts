import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { inputJsonSchema, operationCatalogue, timelineOperations } from '../../contracts/index.ts'
import { flagsFromSchema, parseArguments, parseMoment, takeFlags, type Flag } from './index.ts'

const nowMs = Date.UTC(2026, 2, 14, 12)

const flags: readonly Flag[] = [
  { name: 'service', field: 'service', kind: 'text', required: true, means: '' },
  { name: 'lines', field: 'lines', kind: 'integer', short: 'n', means: '' },
  { name: 'follow', field: 'follow', kind: 'boolean', short: 'f', means: '' },
  { name: 'severity', field: 'severity', kind: 'choice', choices: ['info', 'critical'], means: '' },
  { name: 'since', field: 'since', kind: 'moment', means: '' },
  { name: 'labels', field: 'labels', kind: 'map', means: '' },
  { name: 'names', field: 'names', kind: 'list', means: '' },
]
const grammar = { command: 'logs', flags, positional: ['service'] }
const parse = (...argv: string[]) => parseArguments(argv, grammar, nowMs).values

describe('a command line', () => {
  test('gives fields by position, by flag, by letter and with an equals sign', () => {
    expect(parse('web', '--lines', '5', '-f')).toEqual({ service: 'web', lines: 5, follow: true })
    expect(parse('--service=web', '-n', '5', '--no-follow')).toEqual({
      service: 'web',
      lines: 5,
      follow: false,
    })
  })

  test('collects what is repeated', () => {
    expect(parse('web', '--labels', 'a=1', '--labels', 'b=x=y', '--names', 'p', '--names', 'q')).toEqual({
      service: 'web',
      labels: { a: '1', b: 'x=y' },
      names: ['p', 'q'],
    })
  })

  test('takes everything after -- as it is', () => {
    expect(parse('--', '--web')).toEqual({ service: '--web' })
  })

  test.each([
    [['web', '--linse', '5'], 'unknown flag --linse', 'did you mean --lines?'],
    [['web', '--lines', 'many'], '--lines: "many" is not a number', undefined],
    [['web', '--lines', '1.5'], '--lines: "1.5" is not a whole number', undefined],
    [['web', '--severity', 'bad'], '--severity: "bad" is not one of info, critical', undefined],
    [['web', '--lines'], '--lines needs a value: --lines N', undefined],
    [['web', 'api'], '"holdfast logs" takes no argument "api"', 'see "holdfast help logs"'],
    [[], '"holdfast logs" needs <service>', 'see "holdfast help logs"'],
  ])('%j is refused', (argv, message, hint) => {
    expect(() => parse(...argv)).toThrowError(
      expect.objectContaining({ code: 'cli.usage', message, hint }) as Error,
    )
  })

  test('global flags are found anywhere and everything else keeps its order', () => {
    const json: Flag = { name: 'json', field: 'json', kind: 'boolean', means: '' }
    const word = fc.stringMatching(/^[a-z]{1,6}$/)
    fc.assert(
      fc.property(fc.array(word), fc.array(word), (before, after) => {
        const { values, rest } = takeFlags([...before, '--json', ...after], [json], nowMs)
        expect(values).toEqual({ json: true })
        expect(rest).toEqual([...before, ...after])
      }),
    )
  })
})

describe('a moment', () => {
  test.each([
    ['now', nowMs],
    ['1h', nowMs - 3_600_000],
    ['90s ago', nowMs - 90_000],
    ['2026-03-01T12:00:00Z', Date.UTC(2026, 2, 1, 12)],
    ['1772366400000', 1_772_366_400_000],
  ])('%s', (text, expected) => {
    expect(parseMoment(text, nowMs)).toBe(expected)
  })

  test.each(['', 'yesterday-ish', '2026-99-99', '5 parsecs'])('"%s" is none', (text) => {
    expect(parseMoment(text, nowMs)).toBeUndefined()
  })

  test('any instant survives ISO 8601', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000_000 }), (instant) => {
        expect(parseMoment(new Date(instant).toISOString(), nowMs)).toBe(instant)
      }),
    )
  })
})

describe('flags of operations', () => {
  test('know kinds, defaults, what is required, and times', () => {
    const found = flagsFromSchema(inputJsonSchema(timelineOperations.read))
    const byName = Object.fromEntries(found.map((flag) => [flag.name, flag]))
    expect(byName['since']).toMatchObject({ kind: 'moment', required: false })
    expect(byName['limit']).toMatchObject({ kind: 'integer', fallback: 50, short: 'n' })
    expect(byName['severity']).toMatchObject({ kind: 'choice' })
    expect(byName['severity']?.choices).toContain('critical')
  })

  test('cover every field of every operation', () => {
    for (const operation of operationCatalogue) {
      const schema = inputJsonSchema(operation)
      const fields = Object.keys((schema['properties'] as object | undefined) ?? {})
      expect(flagsFromSchema(schema).map(({ field }) => field)).toEqual(fields)
    }
  })
})

test('a time without a date means today, here', () => {
  const today = (hours: number, minutes: number, seconds = 0): number =>
    new Date(nowMs).setHours(hours, minutes, seconds, 0)
  expect(parseMoment('14:03', nowMs)).toBe(today(14, 3))
  expect(parseMoment('9:05:30', nowMs)).toBe(today(9, 5, 30))
  expect(parseMoment('24:00', nowMs)).toBeUndefined()
  expect(parseMoment('14:60', nowMs)).toBeUndefined()
})
