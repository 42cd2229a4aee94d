import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { whyUnstartable } from './resolve-program.ts'

let directory = ''
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-program-'))
  writeFileSync(join(directory, 'run'), '#!/bin/sh\n')
  chmodSync(join(directory, 'run'), 0o755)
  writeFileSync(join(directory, 'plain'), 'x')
  chmodSync(join(directory, 'plain'), 0o644)
})
afterAll(() => rmSync(directory, { recursive: true }))

test('a program is found on PATH, by its path, and from its directory', () => {
  expect(whyUnstartable(['sh'], directory, process.env['PATH'])).toBeNull()
  expect(whyUnstartable(['run'], directory, directory)).toBeNull()
  expect(whyUnstartable(['./run'], directory, '')).toBeNull()
  expect(whyUnstartable([join(directory, 'run')], '/', '')).toBeNull()
})

test('what is wrong is said', () => {
  expect(whyUnstartable(['nod'], directory, process.env['PATH'])).toBe(
    'no such program: nod (looked in PATH)',
  )
  expect(whyUnstartable(['./nod'], directory, '')).toBe('no such program: ./nod')
  expect(whyUnstartable(['./plain'], directory, '')).toBe('not executable: ./plain')
  expect(whyUnstartable([directory], directory, '')).toBe(`not a program: ${directory}`)
  expect(whyUnstartable(['sh'], join(directory, 'gone'), '/bin')).toContain('no such directory')
})
