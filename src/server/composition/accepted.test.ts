import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { HoldfastError } from '../../kernel/std/index.ts'
import { keepAccepted, loadAccepted } from './accepted.ts'
import { override, parseEnvironment, type LoadedEnvironment, type Overrides } from './load.ts'

let directory = ''
let kept = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-accepted-'))
  kept = join(directory, 'environment.json')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const data = {
  name: 'arcade',
  services: { web: { command: ['node', 'web.ts'], startTimeout: '5s' } },
  edge: { routes: { '/*': { to: 'web', limit: '120/min per ip' } } },
}

function loaded(overrides: Overrides = {}): LoadedEnvironment {
  const environment = override(parseEnvironment(data), overrides)
  return { file: '/srv/holdfast.config.ts', directory: '/srv', hash: 'ab', overrides, data, environment }
}

async function refusal(): Promise<HoldfastError> {
  const error = await loadAccepted(directory).catch((error: unknown) => error)
  if (error instanceof HoldfastError) return error
  throw new Error(`no error of ours: ${String(error)}`)
}

describe('the environment that was accepted', () => {
  test.each([{}, { edgePort: 9000 }, { edgePort: 9000, controlPort: 9001 }])(
    'comes back as it was, with the ports %j',
    async (overrides) => {
      await keepAccepted(directory, loaded(overrides))
      expect(await loadAccepted(directory)).toEqual(loaded(overrides))
    },
  )

  test('is for our eyes only and leaves nothing beside it', async () => {
    await keepAccepted(directory, loaded())
    expect(statSync(kept).mode & 0o777).toBe(0o600)
    expect(readdirSync(directory)).toEqual(['environment.json'])
  })

  test('a torn new one from an earlier death does not matter', async () => {
    writeFileSync(`${kept}.new`, '{"file": "/a')
    await keepAccepted(directory, loaded())
    expect((await loadAccepted(directory)).hash).toBe('ab')
  })

  test('is replaced whole', async () => {
    await keepAccepted(directory, loaded())
    const before = readFileSync(kept, 'utf8')
    mkdirSync(`${kept}.new`) // so that the next one cannot be written
    await expect(keepAccepted(directory, loaded({ edgePort: 9000 }))).rejects.toThrow('EISDIR')
    expect(readFileSync(kept, 'utf8')).toBe(before)
  })
})

describe('when it cannot be read back', () => {
  test('none was accepted yet', async () => {
    expect(await refusal()).toMatchObject({ code: 'configuration.missing', kind: 'operational' })
  })

  test.each([
    ['empty', ''],
    ['torn', JSON.stringify({ file: '/srv/a.ts', hash: 'ab', environment: data }).slice(0, 40)],
    ['garbage', '\u0000\u0001\u0002'],
    ['something else', '{"a": 1}'],
    ['a list', '[]'],
  ])('%s: says so, names the file and tells what to do', async (_, text) => {
    writeFileSync(kept, text)
    const error = await refusal()
    expect(error).toMatchObject({ code: 'configuration.accepted-unreadable', kind: 'operational' })
    expect(error.message).toContain(kept)
    expect(error.hint).toContain('holdfast up')
  })

  test('a directory in its place', async () => {
    mkdirSync(kept)
    expect(await refusal()).toMatchObject({ code: 'configuration.accepted-unreadable' })
  })

  test('one whose data this version does not accept names the key', async () => {
    const other = { ...data, services: { web: { command: ['node'], retired: 1 } } }
    const text = JSON.stringify({ file: '/srv/a.ts', hash: 'ab', overrides: {}, environment: other })
    writeFileSync(kept, text)
    expect(await refusal()).toMatchObject({ code: 'configuration.invalid', path: 'services.web.retired' })
  })
})
