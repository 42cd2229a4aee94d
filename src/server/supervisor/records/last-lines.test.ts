import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { lastLines } from './last-lines.ts'

let directory = ''
let file = ''
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-lines-'))
  file = join(directory, 'a.log')
})
afterAll(() => rmSync(directory, { recursive: true }))

test('the last lines, oldest first, with or without a closing newline', () => {
  writeFileSync(file, 'one\r\ntwo\nthree')
  expect(lastLines(file, 2)).toEqual(['two', 'three'])
  writeFileSync(file, 'one\ntwo\n')
  expect(lastLines(file, 9)).toEqual(['one', 'two'])
})

test('only of the present life, unless the log was rotated since', () => {
  writeFileSync(file, 'old\nnew\n')
  expect(lastLines(file, 9, 4)).toEqual(['new'])
  expect(lastLines(file, 9, 400)).toEqual(['old', 'new'])
})

test('bounded: long lines are cut, a cut first line is left out', () => {
  writeFileSync(file, `${'x'.repeat(20_000)}\n${'y'.repeat(1000)}\nend\n`)
  const lines = lastLines(file, 20)
  expect(lines.at(-1)).toBe('end')
  expect(lines).toHaveLength(2)
  expect(lines[0]).toHaveLength(401)
})

test('no file, no lines', () => {
  expect(lastLines(join(directory, 'none'), 5)).toEqual([])
})
