import { describe, expect, test } from 'vitest'
import { errorCatalogue, type Job } from '../contracts/index.ts'
import { HoldfastError, virtualClock, type Json, type JsonObject } from '../kernel/std/index.ts'
import type { Door } from './control/index.ts'
import { run } from './run.ts'

const clock = virtualClock(Date.UTC(2026, 2, 14, 12))

interface Asked {
  readonly name: string
  readonly input: JsonObject
  readonly idempotencyKey?: string | undefined
}

const job = (share: number, says: string): Job => ({
  id: 'job-1',
  operation: 'environment.restart',
  actor: 'root',
  state: 'running',
  requestedAt: clock.now(),
  endedAt: null,
  share,
  says,
  attempts: 1,
  result: null,
  error: null,
})

/** A control that answers what it is told to and remembers what it was asked. */
function fakeDoor(answer: Json | readonly Json[] | Error): { readonly door: Door; readonly asked: Asked[] } {
  const asked: Asked[] = []
  const answered = async (): Promise<Json> => {
    if (answer instanceof Error) throw answer
    return answer
  }
  const door: Door = {
    call: (name, input) => {
      asked.push({ name, input })
      return answered()
    },
    stream: async function* (name, input) {
      asked.push({ name, input })
      yield* (await answered()) as readonly Json[]
    },
    job: async (name, input, { idempotencyKey, onProgress }) => {
      asked.push({ name, input, idempotencyKey })
      onProgress?.(job(0.5, 'restarting web/1'))
      return answered()
    },
  }
  return { door, asked }
}

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
  readonly asked: readonly Asked[]
}

async function holdfast(argv: readonly string[], answer: Json | readonly Json[] | Error = {}): Promise<Ran> {
  const { door, asked } = fakeDoor(answer)
  let out = ''
  let err = ''
  const code = await run({
    argv,
    directory: '/somewhere',
    variables: {},
    clock,
    out: { write: (text) => void (out += text) },
    err: { write: (text) => void (err += text) },
    terminal: null,
    interactive: false,
    signal: new AbortController().signal,
    open: () => Promise.resolve(door),
    readInput: () => Promise.resolve('{"service":"from-stdin"}'),
  })
  return { code, out, err, asked }
}

describe('a value', () => {
  test('is one JSON document with --json', async () => {
    const { code, out, asked } = await holdfast(['whoami', '--json'], { actor: 'root', role: 'administer' })
    expect(JSON.parse(out)).toEqual({ actor: 'root', role: 'administer' })
    expect(code).toBe(0)
    expect(asked).toEqual([{ name: 'access.whoami', input: {} }])
  })

  test('is drawn for people', async () => {
    const { out } = await holdfast(['whoami'], { actor: 'root', role: 'administer' })
    expect(out).toBe('root, who may administer\n')
  })

  test('is asked for with typed input', async () => {
    const { asked } = await holdfast(['timeline', '--since', '1h', '-n', '5', '--severity', 'warning'], {
      facts: [],
    })
    expect(asked[0]?.input).toEqual({ since: clock.now() - 3_600_000, limit: 5, severity: 'warning' })
  })

  test('is not asked for when the input is wrong', async () => {
    const { code, err, asked } = await holdfast(['timeline', '--limit', '5000'])
    expect(asked).toEqual([])
    expect(code).toBe(2)
    expect(err).toContain('limit: ')
    expect(err).toContain('code: operations.invalid-input')
  })

  test('a fact that tries to move the cursor is made harmless', async () => {
    const fact = {
      sequence: 1,
      at: 0,
      kind: 'a.b',
      severity: 'info',
      actor: 'x',
      data: {},
      says: '\u001B[2Jgone',
    }
    const { out } = await holdfast(['timeline'], { facts: [fact] })
    expect(out).not.toContain('\u001B')
    expect(out).toContain('␛[2Jgone')
  })
})

describe('a stream', () => {
  const lines = [
    { replica: 'web/1', line: 'one' },
    { replica: 'web/2', line: 'two' },
  ]

  test('is a line of JSON for each item with --json', async () => {
    const { out } = await holdfast(['logs', 'web', '--json'], lines)
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(lines)
  })

  test('is drawn item by item', async () => {
    const { out, code } = await holdfast(['logs', 'web', '-f'], lines)
    expect(out).toBe('web/1 | one\nweb/2 | two\n')
    expect(code).toBe(0)
  })
})

describe('a job', () => {
  test('says its progress beside the answer', async () => {
    const { out, err, asked } = await holdfast(['restart', 'web', '--idempotency-key', 'k1'], {
      restarted: ['web/1'],
    })
    expect(out).toBe('restarted web/1\n')
    expect(err).toBe('environment.restart: restarting web/1\n')
    expect(asked).toEqual([{ name: 'environment.restart', input: { service: 'web' }, idempotencyKey: 'k1' }])
  })

  test('with --json nothing but the result is said', async () => {
    const { out, err } = await holdfast(['restart', 'web', '--json'], { restarted: [] })
    expect(JSON.parse(out)).toEqual({ restarted: [] })
    expect(err).toBe('')
  })

  test('a broken chain is exit code 1', async () => {
    const broken = { checked: 4, head: null, broken: { sequence: 5, why: 'its hash is wrong' } }
    const { code, out } = await holdfast(['timeline', 'verify'], broken)
    expect(code).toBe(1)
    expect(out).toContain('broken at fact 5: its hash is wrong')
  })
})

describe('call', () => {
  test('takes pairs, JSON and standard input', async () => {
    const restart = ['call', 'environment.restart']
    expect((await holdfast([...restart, 'service=web'])).asked[0]?.input).toEqual({ service: 'web' })
    expect((await holdfast([...restart, '--input', '{"service":"web"}'])).asked[0]?.input).toEqual({
      service: 'web',
    })
    expect((await holdfast([...restart, '--input', '-'])).asked[0]?.input).toEqual({ service: 'from-stdin' })
  })

  test('gives numbers and times their types', async () => {
    const { asked } = await holdfast(['call', 'timeline.read', 'limit=5', 'since=1h'], { facts: [] })
    expect(asked[0]?.input).toEqual({ limit: 5, since: clock.now() - 3_600_000 })
  })

  test('knows operations without a command, and what was meant', async () => {
    const { code, err } = await holdfast(['call', 'environment.restrat'])
    expect(code).toBe(2)
    expect(err).toContain('did you mean "environment.restart"?')
  })
})

describe('errors', () => {
  const refused = new HoldfastError({
    code: 'environment.unknown-service',
    kind: 'user',
    message: 'there is no service "wbe"',
    hint: 'did you mean "web"?',
    path: 'service',
  })

  test('are said with hint and code, and exit as the catalogue says', async () => {
    const { code, err, out } = await holdfast(['logs', 'wbe'], refused)
    expect(err).toBe(
      'error: there is no service "wbe"\n  hint: did you mean "web"?\n  code: environment.unknown-service\n',
    )
    expect(out).toBe('')
    expect(code).toBe(errorCatalogue.find((entry) => entry.code === 'environment.unknown-service')?.exit)
  })

  test('are JSON with --json', async () => {
    const { err } = await holdfast(['logs', 'wbe', '--json'], refused)
    expect(JSON.parse(err)).toEqual({
      error: {
        code: 'environment.unknown-service',
        kind: 'user',
        message: 'there is no service "wbe"',
        hint: 'did you mean "web"?',
        path: 'service',
      },
    })
  })

  test('of usage are exit code 2, also as JSON', async () => {
    const { code, err } = await holdfast(['nonsense', '--json'])
    expect(code).toBe(2)
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'cli.unknown-command' } })
  })

  test('help and version need nobody', async () => {
    expect((await holdfast([])).out).toContain('Usage: holdfast <command>')
    expect((await holdfast(['logs', '--help'])).out).toContain('Usage: holdfast logs <service>')
    expect((await holdfast(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})
