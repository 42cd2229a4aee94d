import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { keepAccepted, loadAccepted } from './accepted.ts'
import { findTroubles } from './findings.ts'
import { loadEnvironment, type LoadedEnvironment } from './load.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-contents-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const base64 = (text: string): string => Buffer.from(text).toString('base64')

function load(files: Readonly<Record<string, unknown>>, more: object = {}): Promise<LoadedEnvironment> {
  const web = { command: ['node', 'web.ts'], files, ...more }
  const edge = { routes: { '/*': { to: 'web', limit: '1/s' } } }
  const file = join(directory, 'holdfast.config.ts')
  writeFileSync(file, `export default ${JSON.stringify({ name: 'arcade', services: { web }, edge })}`)
  return loadEnvironment(file)
}

async function troubles(
  files: Readonly<Record<string, unknown>>,
  variables: NodeJS.ProcessEnv = {},
  more: object = {},
): Promise<readonly string[]> {
  const loaded = await load(files, more)
  const found = await findTroubles(loaded, { PATH: dirname(process.execPath), ...variables })
  return found.map(({ path, message }) => `${path}: ${message}`)
}

describe('files that services are handed', () => {
  test('are read with the environment file, make its hash, and come back with what was accepted', async () => {
    writeFileSync(join(directory, 'app.json'), 'one')
    const first = await load({ APP_CONFIG: './app.json' })
    expect(first.contents).toEqual({ './app.json': base64('one') })
    writeFileSync(join(directory, 'app.json'), 'two')
    const second = await load({ APP_CONFIG: './app.json' })
    expect(second.hash).not.toBe(first.hash)
    await keepAccepted(directory, first)
    expect(await loadAccepted(directory)).toEqual(first)
    expect(await load({})).not.toHaveProperty('contents')
  })

  test('have to be there, to be files, and to fit', async () => {
    writeFileSync(join(directory, 'good'), 'x')
    writeFileSync(join(directory, 'empty'), '')
    writeFileSync(join(directory, 'large'), 'x'.repeat(500 * 1024))
    mkdirSync(join(directory, 'folder'))
    expect(await troubles({ A: 'good' })).toEqual([])
    const found = await troubles({ A: 'gone', B: 'empty', C: './large', D: 'folder' })
    const at = (name: string): string => join(directory, name)
    expect(found).toEqual([
      `services.web.files.A: the file ${at('gone')} cannot be read (ENOENT)`,
      `services.web.files.B: the file ${at('empty')} is empty, and an empty file cannot be handed to a service`,
      `services.web.files.C: the file ${at('large')} has 512000 bytes, and a file that is handed to a service has less than 512000`,
      `services.web.files.D: the file ${at('folder')} is no file`,
    ])
  })

  test('from variables have to be set, and what is in them is not said', async () => {
    const files = { APP_KEY: { variable: 'APP_KEY' } }
    expect(await troubles(files, { APP_KEY: 'k1' })).toEqual([])
    const at = 'services.web.files.APP_KEY'
    expect(await troubles(files)).toEqual([`${at}: the variable APP_KEY is not set`])
    expect((await troubles(files, { APP_KEY: '' }))[0]).toContain('APP_KEY is empty')
    const [large = ''] = await troubles(files, { APP_KEY: 'ä'.repeat(256_000) })
    expect(large).toContain('APP_KEY has 512000 bytes')
    expect(large).not.toContain('ä')
  })

  test('have a variable for their path to themselves', async () => {
    const files = { APP_KEY: { variable: 'APP_KEY' } }
    const given = { APP_KEY: 'k1', APP_KEY_FILE: '/other' }
    const message =
      'services.web.files.APP_KEY: APP_KEY_FILE is where it finds the path of this file, and it is set besides'
    expect(await troubles(files, given, { env: { APP_KEY_FILE: '/other' } })).toEqual([message])
    expect(await troubles(files, given, { passEnv: ['APP_KEY_FILE'] })).toEqual([message])
    expect(await troubles(files, given)).toEqual([])
  })
})
