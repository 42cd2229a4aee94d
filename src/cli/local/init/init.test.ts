import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runInThisContext } from 'node:vm'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { HoldfastError, virtualClock, type Json } from '../../../kernel/std/index.ts'
import { loadEnvironment } from '../../../server/composition/index.ts'
import { parseEnvironment } from '../../../server/composition/load.ts'
import type { Surroundings } from '../../commands/command.ts'
import { createPaper, createVoice } from '../../output/index.ts'
import { nameFrom } from './answers.ts'
import { joinCommand, splitCommand } from './command-line.ts'
import { fileText } from './file-text.ts'
import { lookAround } from './folder.ts'
import { draftFrom, draftText } from './from/index.ts'
import { init } from './index.ts'

let folder = ''
let said = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-init-'))
  said = ''
})

afterEach(() => rm(folder, { recursive: true, force: true }))

function surroundings(): Surroundings {
  const sink = { write: (text: string) => void (said += text) }
  const clock = virtualClock()
  const paper = createPaper({ terminal: false, colour: false, nowMs: clock.now() })
  return {
    voice: createVoice({ out: sink, err: sink, json: false, paper }),
    directions: { directory: folder },
    variables: { PATH: process.env['PATH'] },
    clock,
    signal: new AbortController().signal,
    interactive: false,
    open: () => Promise.reject(new Error('init asks nobody')),
    readInput: () => Promise.resolve(''),
  }
}

const runInit = (values: Readonly<Record<string, Json>>) => init({ values, rest: [] }, surroundings())
const file = () => join(folder, 'holdfast.config.ts')

describe('a command as it is typed', () => {
  test.each([
    ['node server.js', ['node', 'server.js']],
    ['node "my server.js" --flag=\'a b\'', ['node', 'my server.js', '--flag=a b']],
    ['python3 -m http.server "$PORT"', ['sh', '-c', 'exec python3 -m http.server "$PORT"']],
    ['npm run build && npm start', ['sh', '-c', 'npm run build && npm start']],
    ['NODE_ENV=production node a.js', ['sh', '-c', 'NODE_ENV=production node a.js']],
  ])('%s', (line, expected) => {
    expect(splitCommand(line)).toEqual(expected)
  })

  test('any list of words survives being written down', () => {
    const word = fc.stringMatching(/^[\w ./:@%+,-]{1,12}$/)
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), (words) => {
        expect(splitCommand(joinCommand(words))).toEqual(words)
      }),
    )
  })
})

test('any text makes a valid name', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(nameFrom(text)).toMatch(/^[a-z][a-z0-9-]{0,38}$/)
    }),
  )
  expect(nameFrom('@studio/Arcade Game')).toBe('studio-arcade-game')
})

describe('a folder', () => {
  test.each([
    [{ 'package.json': '{"name":"shop","scripts":{"start":"node server.js"}}' }, 'node server.js'],
    [{ 'package.json': '{"scripts":{"start":"next start"}}' }, 'npm start'],
    [{ Procfile: 'worker: x\nweb: gunicorn app\n' }, 'gunicorn app'],
    [{ 'manage.py': '' }, 'python3 manage.py runserver --noreload "127.0.0.1:$PORT"'],
    [{ 'go.mod': 'module x' }, 'go run .'],
    [{ 'index.html': '' }, 'python3 -m http.server --bind 127.0.0.1 "$PORT"'],
    [{ 'notes.txt': '' }, null],
    [{ 'package.json': 'not json' }, null],
  ])('%j suggests %s', async (files, command) => {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
    expect((await lookAround(folder)).command).toBe(command)
  })
})

describe('the file', () => {
  test('any answers make a file that is valid', { timeout: 60_000 }, async () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/)
    const answers = fc.record({
      name,
      service: name,
      runs: fc.oneof(
        fc.record({
          by: fc.constant('holdfast' as const),
          command: fc.array(fc.string({ minLength: 1, unit: 'grapheme' }), { minLength: 1, maxLength: 4 }),
          port: fc.option(fc.integer({ min: 1, max: 65_535 })),
        }),
        fc.record({ by: fc.constant('others' as const), address: fc.constant('http://127.0.0.1:3000') }),
      ),
      health: fc.option(fc.constant('/healthz')),
      edgePort: fc.integer({ min: 1, max: 65_535 }),
    })
    await fc.assert(
      fc.asyncProperty(answers, async (given) => {
        await writeFile(file(), fileText(given, '2027-03-31'))
        const { environment } = await loadEnvironment(file())
        expect(environment.name).toBe(given.name)
        const service = environment.services[given.service]
        const { runs } = given
        expect(service).toMatchObject(
          runs.by === 'holdfast' ? { command: runs.command } : { address: runs.address },
        )
      }),
      { numRuns: 12 },
    )
  })

  test('is written, checked and kept out of git', async () => {
    await writeFile(join(folder, '.git'), '')
    await writeFile(join(folder, '.gitignore'), 'node_modules')
    expect(await runInit({ command: 'node server.js', health: '/healthz', edgePort: 9090 })).toBe(0)
    const { environment } = await loadEnvironment(file())
    expect(environment.services['web']).toMatchObject({ command: ['node', 'server.js'], health: '/healthz' })
    expect(environment.edge.listen[0]?.port).toBe(9090)
    expect(await readFile(join(folder, '.gitignore'), 'utf8')).toBe('node_modules\n.holdfast/\n')
    expect(said).toContain('next: holdfast up')
  })

  test('says the command as it was typed, also when it takes a shell, and how to call us', async () => {
    const calling = {
      ...surroundings(),
      variables: { ...surroundings().variables, HOLDFAST_COMMAND: 'bin/holdfast' },
    }
    const parsed = { values: { command: 'python3 -m http.server "$PORT"' }, rest: [] }
    expect(await init(parsed, calling)).toBe(0)
    expect(said).toMatch(/runs +python3 -m http\.server "\$PORT"\n/)
    expect(said).toContain('next: bin/holdfast up')
    expect(await readFile(file(), 'utf8')).not.toContain('without a shell')
  })

  test('is not overwritten without --force', async () => {
    await writeFile(file(), 'mine')
    await expect(runInit({ command: 'node a.js' })).rejects.toMatchObject({ code: 'cli.file-exists' })
    expect(await readFile(file(), 'utf8')).toBe('mine')
    expect(await runInit({ command: 'node a.js', force: true })).toBe(0)
  })

  test('is not written when it would be wrong', async () => {
    await expect(runInit({ command: 'node a.js', name: 'Not A Name' })).rejects.toBeInstanceOf(HoldfastError)
    await expect(readFile(file())).rejects.toThrow('ENOENT')
  })

  test('needs to know what shall run', async () => {
    await writeFile(join(folder, 'go.mod'), '')
    await expect(runInit({})).rejects.toMatchObject({ code: 'cli.usage' })
    await expect(runInit({ command: 'a', address: 'http://b' })).rejects.toMatchObject({ code: 'cli.usage' })
    expect(await runInit({ yes: true })).toBe(0)
    expect(said).toContain('go run .')
  })
})

/** The data of a written file, without a process of its own for it. */
function dataOf(text: string): unknown {
  const source = stripTypeScriptTypes(text)
    .replace(/^import .*$/gm, '')
    .replace('export default defineEnvironment(', 'return (')
  return runInThisContext(`(() => {${source}})()`)
}

describe('from what another tool runs', () => {
  const compose = `
services:
  web:
    build: .
    command: node server.js
    ports: ['8081:3000']
    env_file: app.env
    labels: { a: b }
`

  test('a Compose file becomes an environment file, and what is left is said on the screen, too', async () => {
    await writeFile(join(folder, 'compose.yaml'), compose)
    await writeFile(join(folder, 'app.env'), "SECRET='of the file'\n")
    expect(await runInit({ from: 'compose.yaml', name: 'shop' })).toBe(0)
    const { environment } = await loadEnvironment(file())
    expect(environment).toMatchObject({
      name: 'shop',
      services: { web: { command: ['node', 'server.js'], port: 3000, env: { SECRET: 'of the file' } } },
      edge: { listen: [{ port: 8081 }] },
    })
    expect(await readFile(file(), 'utf8')).not.toContain('of the file')
    expect(said).toContain('wrote holdfast.config.ts from compose.yaml\n  web  node server.js\n')
    expect(said).toContain('services.web.labels: what they say to a proxy has to be said as routes')
    expect(await readFile(file(), 'utf8')).toContain('// - services.web.labels: what they say to a proxy')
  })

  test('a Procfile, with the port of the edge from the flag', async () => {
    await writeFile(join(folder, 'Procfile'), 'web: node server.js\n')
    expect(await runInit({ from: 'Procfile', edgePort: 9999 })).toBe(0)
    const { environment } = await loadEnvironment(file())
    expect(environment.services['web']).toMatchObject({ command: ['node', 'server.js'], listens: true })
    expect(environment.edge.listen).toMatchObject([{ port: 9999 }])
  })

  test('is not mixed with flags that say what runs, and writes nothing when it fails', async () => {
    await writeFile(join(folder, 'Procfile'), 'release: ./migrate\n')
    await expect(runInit({ from: 'Procfile', command: 'node x.js' })).rejects.toMatchObject({
      code: 'cli.usage',
    })
    await expect(runInit({ from: 'Procfile' })).rejects.toMatchObject({ code: 'cli.not-importable' })
    await expect(runInit({ from: 'nowhere.yaml' })).rejects.toMatchObject({ code: 'cli.no-file' })
    await expect(readFile(file())).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('whatever a Compose file says, there is a file that loads or one clear error', async () => {
    const scalar = fc.oneof(fc.string({ maxLength: 12 }), fc.integer(), fc.boolean(), fc.constant(null))
    const value = fc.oneof(
      scalar,
      fc.array(scalar, { maxLength: 3 }),
      fc.dictionary(fc.string({ maxLength: 8 }), scalar, { maxKeys: 3 }),
    )
    const key = fc.constantFrom(
      'build',
      'image',
      'command',
      'ports',
      'environment',
      'volumes',
      'healthcheck',
      'deploy',
      'scale',
    )
    const services = fc.dictionary(fc.stringMatching(/^[a-zA-Z_]{1,6}$/), fc.dictionary(key, value), {
      maxKeys: 3,
    })
    await fc.assert(
      fc.asyncProperty(services, async (some) => {
        const text = JSON.stringify({ services: { front: { build: '.', command: 'node a.js' }, ...some } })
        await writeFile(join(folder, 'compose.yaml'), text)
        const valid = await draftFrom('compose.yaml', folder).then(
          (draft) => parseEnvironment(dataOf(draftText(draft))).name !== '',
          (error: unknown) => error instanceof HoldfastError && error.code === 'cli.not-importable',
        )
        expect(valid).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
})
