import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { rotateLog } from './rotate.ts'

let directory = ''
let file = ''
let writer = 0
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-rotate-'))
  file = join(directory, 'web.log')
  writer = openSync(file, 'a')
})
afterEach(() => {
  closeSync(writer)
  rmSync(directory, { recursive: true })
})

const rule = { sizeBytes: 1000, files: 3 }

test('a small log stays', () => {
  writeSync(writer, 'x'.repeat(1000))
  expect(rotateLog(file, rule)).toBe(false)
  expect(existsSync(`${file}.1`)).toBe(false)
})

test('a writer that keeps its descriptor goes on at the start, and no line is lost', () => {
  let written = ''
  for (let round = 0; round < 3; round++) {
    const text = `${round}`.repeat(1200)
    writeSync(writer, text)
    written += text
    if (round < 2) rotateLog(file, rule)
  }
  expect(
    readFileSync(`${file}.2`, 'utf8') + readFileSync(`${file}.1`, 'utf8') + readFileSync(file, 'utf8'),
  ).toBe(written)
})

test('no more files than the rule says', () => {
  for (let round = 0; round < 6; round++) {
    writeSync(writer, `${round}`.repeat(1001))
    rotateLog(file, rule)
  }
  expect(existsSync(`${file}.2`)).toBe(true)
  expect(existsSync(`${file}.3`)).toBe(false)
  expect(existsSync(`${file}.0`)).toBe(false)
  expect(readFileSync(`${file}.1`, 'utf8')).toContain('5555')
  expect(statSync(file).size).toBe(0)
})

test('of a log that has outgrown all bounds the newest part is kept', () => {
  writeSync(writer, `${'a'.repeat(9000)}the end`)
  rotateLog(file, rule)
  const copy = readFileSync(`${file}.1`, 'utf8')
  expect(copy).toMatch(/^\[5007 bytes left out/)
  expect(copy.endsWith('the end')).toBe(true)
  expect(copy.length).toBeLessThan(4200)
})
