import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { placeFiles, removeFilesBut } from './place-files.ts'

let root = ''
let directory = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'holdfast-files-'))
  directory = join(root, 'files')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const handed = (text: string, service = 'web') => ({
  service,
  files: { APP_KEY: { content: Buffer.from(text).toString('base64'), secret: true } },
})
const place = (text: string, service = 'web'): string =>
  placeFiles(directory, handed(text, service), null)['APP_KEY_FILE'] ?? ''

test('files that are handed over are found by variables, and nobody else reads or lists them', () => {
  const path = place('k1')
  expect(readFileSync(path, 'utf8')).toBe('k1')
  expect(basename(path)).toMatch(/^APP_KEY-[0-9a-f]{16}$/)
  expect(statSync(path).mode & 0o777).toBe(0o400)
  for (const passage of [directory, join(directory, 'web')])
    expect(statSync(passage).mode & 0o777).toBe(0o711)
  expect(placeFiles(directory, { service: 'web' }, null)).toEqual({})
})

test('another content is another file; the same one is left as it is', () => {
  const first = place('k1')
  const { ino } = statSync(first)
  const second = place('k2')
  expect(second).not.toBe(first)
  expect([readFileSync(first, 'utf8'), readFileSync(second, 'utf8')]).toEqual(['k1', 'k2'])
  expect(place('k1')).toBe(first)
  expect(statSync(first).ino).toBe(ino)
})

test('bytes that are no text come through', () => {
  const bytes = Buffer.from([0, 255, 10, 13, 0])
  const files = { A: { content: bytes.toString('base64'), secret: false } }
  const { A_FILE = '' } = placeFiles(directory, { service: 'web', files }, null)
  expect(readFileSync(A_FILE)).toEqual(bytes)
})

test.runIf(process.getuid?.() === 0)(
  'they belong to the user of their service, also when that is another',
  () => {
    const ownerOf = (path: string) => [statSync(path).uid, statSync(path).gid]
    const user = { uid: 60_600, gid: 60_601, groups: [] }
    const { APP_KEY_FILE: path = '' } = placeFiles(directory, handed('k1'), user)
    expect(ownerOf(path)).toEqual([60_600, 60_601])
    placeFiles(directory, handed('k1'), { ...user, uid: 60_602 })
    expect(ownerOf(path)).toEqual([60_602, 60_601])
    expect(statSync(path).mode & 0o777).toBe(0o400)
  },
)

test('what nothing is handed any more goes, but where it is not known', () => {
  const [kept, gone, other, unknown] = [place('k1'), place('k2'), place('k3', 'api'), place('k4', 'old')]
  const half = `${gone}.new`
  writeFileSync(half, '')
  removeFilesBut(directory, [handed('k1')], new Set(['old']))
  expect([kept, gone, half, other, unknown].map((path) => existsSync(path))).toEqual([
    true,
    false,
    false,
    false,
    true,
  ])
  expect(existsSync(join(directory, 'api'))).toBe(false)
  removeFilesBut(join(root, 'none'), [], new Set())
})
