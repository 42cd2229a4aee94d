import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { HoldfastError } from '../../../kernel/std/index.ts'
import { evaluateFile, type EvaluateOptions } from './evaluate.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast evaluate-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function write(name: string, text: string): string {
  const file = join(directory, name)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, text)
  return file
}

interface Evaluation extends EvaluateOptions {
  readonly name?: string
}

function evaluate(
  text: string,
  { name = 'holdfast.config.ts', ...options }: Evaluation = {},
): Promise<unknown> {
  return evaluateFile(write(name, text), options)
}

async function refusal(text: string, options: Evaluation = {}): Promise<HoldfastError> {
  const error = await evaluate(text, options).catch((error: unknown) => error)
  if (error instanceof HoldfastError) return error
  throw new Error(`it was accepted: ${JSON.stringify(error)}`)
}

describe('an environment file yields its data', () => {
  test('typed, with defineEnvironment, wherever it lies', async () => {
    const text = `import { defineEnvironment } from 'holdfast'
      import type { EnvironmentInput } from 'holdfast'
      const services: EnvironmentInput['services'] = { web: { command: ['node', 'web.ts'] } }
      export default defineEnvironment({ name: 'arcade', services })`
    expect(await evaluate(text)).toEqual({
      name: 'arcade',
      services: { web: { command: ['node', 'web.ts'] } },
    })
  })

  test.each(['holdfast.config.ts', 'holdfast.config.mts', 'holdfast.config.js', 'holdfast.config.mjs'])(
    '%s, in a project of either kind',
    async (name) => {
      for (const type of ['commonjs', 'module']) {
        write('package.json', JSON.stringify({ type }))
        expect(await evaluate('export default { a: 1 }', { name })).toEqual({ a: 1 })
      }
    },
  )

  test.each(['commonjs', 'module'])(
    "modules of the user's own, in a project of the kind %s",
    async (type) => {
      write('package.json', JSON.stringify({ type }))
      write('lib/limits.ts', "import { ten } from './ten.js'\nexport const perMinute: number = ten * 2")
      write('lib/ten.js', 'export const ten = 10')
      write('old.cjs', 'module.exports = { old: true }')
      write('data.json', '{"from": "json"}')
      const text = `import { perMinute } from './lib/limits.ts'
      import old from './old.cjs'
      import data from './data.json' with { type: 'json' }
      export default { perMinute, ...old, ...data }`
      expect(await evaluate(text)).toEqual({ perMinute: 20, old: true, from: 'json' })
    },
  )

  test('CommonJS of a CommonJS project stays what it is', async () => {
    write('package.json', '{"type": "commonjs"}')
    write('old.js', "const { sep } = require('node:path')\nmodule.exports = { sep }")
    expect(await evaluate("import old from './old.js'\nexport default { ...old }")).toEqual({ sep: '/' })
  })

  test('what it prints does not matter', async () => {
    const text = `console.log('{"value": 7}'); console.error('x'.repeat(200_000)); export default { a: 1 }`
    expect(await evaluate(text)).toEqual({ a: 1 })
  })

  test('large data arrives whole, every character of it', async () => {
    const text = 'export default { all: Array.from({ length: 50_000 }, (_, index) => `${index} 🦀é`) }'
    const { all } = (await evaluate(text)) as { all: string[] }
    expect(all).toHaveLength(50_000)
    expect(all.every((item, index) => item === `${index} 🦀é`)).toBe(true)
  })

  test('the same object in two places is no circle; undefined is not there', async () => {
    const text = 'const a = { b: 1, c: undefined }; export default { x: a, y: [a, a] }'
    expect(await evaluate(text)).toEqual({ x: { b: 1 }, y: [{ b: 1 }, { b: 1 }] })
  })
})

describe('what is not data is refused with its path', () => {
  test.each([
    [
      'a function',
      '{ services: { web: { health: () => 1 } } }',
      { path: 'services.web.health', says: 'function' },
    ],
    ['a method', '{ a: { toJSON() { return 1 } } }', { path: 'a.toJSON', says: 'function' }],
    ['a class', '{ a: class Limit {} }', { path: 'a', says: 'function' }],
    ['an instance of a class', '{ a: new (class Limit {})() }', { path: 'a', says: 'class Limit' }],
    ['a date', '{ until: new Date(0) }', { path: 'until', says: 'class Date' }],
    ['a map', '{ a: [new Map()] }', { path: 'a.0', says: 'class Map' }],
    ['a promise', '{ a: Promise.resolve(1) }', { path: 'a', says: 'class Promise' }],
    ['a number that is none', '{ a: { b: NaN } }', { path: 'a.b', says: 'NaN' }],
    ['infinity', '{ a: -Infinity }', { path: 'a', says: '-Infinity' }],
    ['a bigint', '{ a: 1n }', { path: 'a', says: 'bigint' }],
    ['a symbol', "{ a: Symbol('x') }", { path: 'a', says: 'symbol' }],
    ['nothing but a function', '() => ({})', { path: '', says: 'function' }],
  ])('%s', async (_, data, { path, says }) => {
    const error = await refusal(`export default ${data}`)
    expect(error).toMatchObject({ code: 'configuration.invalid', kind: 'user', path })
    expect(error.message).toContain(says)
  })

  test('a circle', async () => {
    const error = await refusal('const a: any = {}; a.b = { c: a }; export default { a }')
    expect(error).toMatchObject({ code: 'configuration.invalid' })
    expect(error.message).toContain('contains itself')
  })

  test('no default export', async () => {
    expect((await refusal('export const environment = {}')).message).toContain('no default export')
  })
})

describe('a file that cannot be evaluated', () => {
  test.each([
    ['TypeScript', 'holdfast.config.ts'],
    ['JavaScript', 'holdfast.config.mjs'],
  ])('a syntax error of %s names the line', async (_, name) => {
    const error = await refusal('const a = 1\nconst b = = 2\nexport default {}', { name })
    expect(error.code).toBe('configuration.unreadable')
    expect(error.message).toContain(`${join(directory, name)}:2`)
    expect(error.message).toContain('SyntaxError')
  })

  test('a syntax error in a module of the user names that module', async () => {
    write('limits.ts', '\n\nexport const = 1')
    const error = await refusal("import './limits.ts'\nexport default {}")
    expect(error.message).toContain(`${join(directory, 'limits.ts')}:3`)
  })

  test('an enum, which Node does not strip, names the line', async () => {
    expect((await refusal('\nenum A { B }\nexport default {}')).message).toMatch(/config\.ts:2.*enum/)
  })

  test('an error that it throws, with the place', async () => {
    const error = await refusal("const a = 1\nif (a) throw new Error('no luck')\nexport default {}")
    expect(error.message).toMatch(/holdfast\.config\.ts:2:\d+: Error: no luck$/)
  })

  test('something else that it throws', async () => {
    expect((await refusal("throw 'text'\nexport default {}")).message).toMatch(/config\.ts: text$/)
  })

  test('a module that is not there', async () => {
    expect((await refusal("import './nope.ts'\nexport default {}")).message).toMatch(/config\.ts: .*nope\.ts/)
  })

  test('an infinite loop ends when its time is over', async () => {
    const error = await refusal('for (;;);\nexport default {}', { timeoutMs: 700 })
    expect(error.code).toBe('configuration.unreadable')
    expect(error.message).toContain('within 0.7 s')
  })

  test('an await that never ends', async () => {
    expect((await refusal('await new Promise(() => {})\nexport default {}')).message).toContain(
      'never happens',
    )
    const waiting = 'setInterval(() => {}, 1000)\nawait new Promise(() => {})\nexport default {}'
    expect((await refusal(waiting, { timeoutMs: 700 })).message).toContain('within 0.7 s')
  })

  test('one that ends its process', async () => {
    expect((await refusal('process.exit(3)\nexport default {}')).message).toContain('exit code 3')
  })

  test('one that yields too much', async () => {
    expect((await refusal("export default { a: 'x'.repeat(5_000_000) }")).message).toContain('4 MiB')
  })

  test('a program that it has started and that goes on keeps nobody waiting', async () => {
    const text = `import { spawn } from 'node:child_process'
      const { pid } = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 20_000)'], { stdio: 'inherit' })
      export default { pid }`
    const { pid } = (await evaluate(text)) as { pid: number }
    expect(process.kill(pid, 'SIGKILL')).toBe(true)
  })
})

describe('secrets', () => {
  test('no variable beyond the harmless ones is visible in the file', async () => {
    process.env['HOLDFAST_TEST_SECRET'] = 'hidden'
    try {
      const seen = (await evaluate('export default { seen: Object.keys(process.env) }')) as { seen: string[] }
      const harmless = ['PATH', 'HOME', 'LANG', 'TZ', 'NODE_NO_WARNINGS']
      expect(seen.seen.filter((name) => !harmless.includes(name))).toEqual([])
    } finally {
      delete process.env['HOLDFAST_TEST_SECRET']
    }
  })
})
