import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findInstallation } from '../installation.ts'
import { placeOfInstallation } from './unpack.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'holdfast-unpack-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const variables = (): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  HOME: root,
  npm_config_offline: 'true',
})

/** A package as npm packs it, with a script that leaves a trace if anybody runs it. */
function pack(manifest: object): string {
  const from = join(root, 'package')
  mkdirSync(join(from, 'src', 'cli'), { recursive: true })
  writeFileSync(join(from, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(from, 'src', 'cli', 'main.js'), '')
  const file = join(root, 'holdfast-9.9.9.tgz')
  execFileSync('tar', ['-czf', file, '-C', root, 'package'])
  rmSync(from, { recursive: true })
  return file
}

test(
  'a packed package is installed beside itself, once, and none of its scripts is run',
  { timeout: 90_000 },
  async () => {
    const scripts = { postinstall: `touch ${join(root, 'trace')}` }
    const file = pack({ name: 'holdfast', version: '9.9.9', scripts })
    const directory = await placeOfInstallation(file, variables())
    expect(directory).toBe(join(root, 'holdfast-9.9.9'))
    expect(await findInstallation(directory)).toMatchObject({
      version: '9.9.9',
      directory: join(directory, 'node_modules', 'holdfast'),
    })
    expect(existsSync(join(root, 'trace'))).toBe(false)
    rmSync(file)
    writeFileSync(file, 'garbage')
    expect(await placeOfInstallation(file, variables())).toBe(directory)
  },
)

test('what cannot be installed says why and leaves nothing', { timeout: 90_000 }, async () => {
  const needy = pack({ name: 'holdfast', version: '9.9.9', dependencies: { 'holdfast-nowhere': '1.0.0' } })
  for (const file of [needy, join(root, 'garbage.tgz')]) {
    if (file !== needy) writeFileSync(file, 'garbage')
    await expect(placeOfInstallation(file, variables())).rejects.toMatchObject({
      code: 'upgrade.refused',
      message: expect.stringMatching(/npm did not install .+: .+/) as string,
    })
  }
  expect(readdirSync(root).filter((name) => !name.startsWith('.') && !name.endsWith('.tgz'))).toEqual([])
})

test('a directory is itself, whatever its name', async () => {
  mkdirSync(join(root, 'odd.tgz'))
  for (const place of [root, join(root, 'odd.tgz'), join(root, 'missing.tgz')])
    expect(await placeOfInstallation(place, {})).toBe(place)
})
