import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canRun } from './index.ts'

let directory = ''
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-programs-'))
  for (const folder of ['bin', 'other', 'other/folder', 'services']) mkdirSync(join(directory, folder))
  const write = (name: string, mode: number): void => {
    writeFileSync(join(directory, name), '#!/bin/sh\n')
    chmodSync(join(directory, name), mode)
  }
  write('bin/run', 0o755)
  write('bin/text', 0o644)
  write('other/text', 0o755)
  write('services/here', 0o755)
  symlinkSync('run', join(directory, 'bin/link'))
  symlinkSync('nothing', join(directory, 'bin/broken'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** Looks on a path with an empty entry, a missing folder and a program in front of its namesake. */
function isFound(program: string, from = 'services'): Promise<boolean> {
  const path = ['', join(directory, 'missing'), join(directory, 'bin'), join(directory, 'other')].join(':')
  return canRun(program, join(directory, from), path)
}

describe('whether a program can be started', () => {
  test.each([
    ['run', true],
    ['link', true],
    ['text', true],
    ['broken', false],
    ['folder', false],
    ['nothing', false],
    ['here', false],
    ['', false],
  ])('by name: %j is %s', async (program, expected) => {
    expect(await isFound(program)).toBe(expected)
  })

  test.each([
    ['bin/run', true],
    ['bin/text', false],
    ['bin', false],
    ['bin/missing', false],
  ])('by path: %j is %s', async (path, expected) => {
    expect(await isFound(join(directory, path))).toBe(expected)
  })

  test('a relative path starts at the directory of the service', async () => {
    expect(await isFound('./here')).toBe(true)
    expect(await isFound('../bin/run')).toBe(true)
    expect(await isFound('./run')).toBe(false)
  })

  test('nothing runs in a directory that is not there', async () => {
    expect(await isFound('run', 'missing')).toBe(false)
    expect(await isFound('run', 'bin/run')).toBe(false)
  })

  test('without a path nothing is found by name', async () => {
    expect(await canRun('run', directory, '')).toBe(false)
  })
})
