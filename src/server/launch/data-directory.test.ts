import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { prepareDataDirectory } from './data-directory.ts'

const isRoot = process.getuid?.() === 0

let home = ''
let directory = ''
let mounted = false
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'holdfast-data-'))
  directory = join(home, 'data')
})
afterEach(() => {
  if (mounted) spawnSync('umount', [home])
  mounted = false
  rmSync(home, { recursive: true, force: true })
})

/** Mounts a file system in memory; false where that is not permitted. */
function mount(options: string): boolean {
  mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', home]).status === 0
  return mounted
}

const modeOf = (path: string): number => statSync(path).mode & 0o777

describe('the data directory', () => {
  test('is made, for our eyes only, and what is in it stays', async () => {
    await prepareDataDirectory(directory)
    expect(modeOf(directory)).toBe(0o700)
    expect(readdirSync(directory).sort()).toEqual(['logs', 'run'])
    writeFileSync(join(directory, 'timeline.db'), 'facts')
    await prepareDataDirectory(directory)
    expect(readdirSync(directory).sort()).toEqual(['logs', 'run', 'timeline.db'])
  })

  test('an empty one of the user is taken and closed to others', async () => {
    mkdirSync(directory, { mode: 0o755 })
    await prepareDataDirectory(directory)
    expect(modeOf(directory)).toBe(0o700)
  })

  test.each([['run'], ['run', 'logs'], ['lost+found'], ['lock.db', 'run', 'backups']])(
    'one that holds %s is taken',
    async (...names) => {
      for (const name of names) mkdirSync(join(directory, name), { recursive: true })
      await prepareDataDirectory(directory)
      expect(modeOf(directory)).toBe(0o700)
    },
  )

  test('one that holds something else is left as it was', async () => {
    mkdirSync(directory)
    chmodSync(directory, 0o755)
    for (const name of ['run', 'logs', 'home']) mkdirSync(join(directory, name)) // as in /
    await expect(prepareDataDirectory(directory)).rejects.toMatchObject({
      code: 'data.not-ours',
      kind: 'user',
    })
    expect(modeOf(directory)).toBe(0o755)
    expect(readdirSync(directory).sort()).toEqual(['home', 'logs', 'run'])
  })

  test.each(['data', 'data/deeper', 'data/deeper/still'])('a file in the way of %s', async (path) => {
    writeFileSync(directory, 'a file')
    const refused = prepareDataDirectory(join(home, path))
    await expect(refused).rejects.toMatchObject({
      code: 'data.unwritable',
      message: expect.stringContaining('a file is in its place') as string,
      hint: expect.stringContaining('--data') as string,
    })
  })

  test.skipIf(isRoot)('one that may not be written', async () => {
    mkdirSync(directory, { mode: 0o500 })
    await expect(prepareDataDirectory(directory)).rejects.toMatchObject({ code: 'data.unwritable' })
  })
})

describe.skipIf(!isRoot)('the disk below it (needs root, to mount one)', () => {
  test('is read-only', async (context) => {
    if (!mount('size=1m,ro')) return context.skip('this machine does not let us mount')
    await expect(prepareDataDirectory(directory)).rejects.toMatchObject({
      code: 'data.unwritable',
      message: expect.stringContaining('EROFS') as string,
    })
  })

  test('has too little room', async (context) => {
    if (!mount('size=1m')) return context.skip('this machine does not let us mount')
    await expect(prepareDataDirectory(directory)).rejects.toMatchObject({
      code: 'data.disk-full',
      message: expect.stringMatching(/only .* are free/) as string,
    })
    expect(existsSync(join(directory, '.write-probe'))).toBe(false)
  })

  test('is full', async (context) => {
    if (!mount('size=64k')) return context.skip('this machine does not let us mount')
    const fill = (): void => writeFileSync(join(home, 'filler'), 'x'.repeat(100_000))
    expect(fill).toThrow('ENOSPC')
    await expect(prepareDataDirectory(directory)).rejects.toMatchObject({
      code: 'data.disk-full',
      message: expect.stringContaining('the disk is full') as string,
    })
  })

  test('has no room for another file', async (context) => {
    if (!mount('size=1m,nr_inodes=2')) return context.skip('this machine does not let us mount')
    await expect(prepareDataDirectory(directory)).rejects.toMatchObject({ code: 'data.disk-full' })
  })
})
