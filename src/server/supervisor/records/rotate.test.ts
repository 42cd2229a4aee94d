import {
  closeSync,
  existsSync,
  mkdirSync,
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
import { rotateLog, sizeOf } from './rotate.ts'

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

test('of a log that has outgrown twice its size the newest part is kept', () => {
  writeSync(writer, `${'a'.repeat(9000)}the end`)
  rotateLog(file, rule)
  const copy = readFileSync(`${file}.1`, 'utf8')
  expect(copy).toMatch(/^\[7007 bytes left out/)
  expect(copy.endsWith('the end')).toBe(true)
  expect(copy.length).toBeLessThan(2100)
})

test('what is kept is within the rule, also when each copy is larger than one size', () => {
  for (let round = 0; round < 5; round++) {
    writeSync(writer, `${round}`.repeat(1900))
    rotateLog(file, { ...rule, files: 5 })
  }
  expect([1, 2, 3, 4].map((index) => existsSync(`${file}.${index}`))).toEqual([true, true, false, false])
})

test('a hole that a writer leaves who does not append is neither counted nor copied', () => {
  const careless = openSync(file, 'w')
  writeSync(careless, 'b'.repeat(100_000), 0)
  rotateLog(file, { sizeBytes: 80_000, files: 3 })
  writeSync(careless, 'c'.repeat(5000), 100_000)
  closeSync(careless)
  expect(statSync(file).size).toBe(105_000)
  expect(sizeOf(file)).toBeLessThan(20_000)
  rotateLog(file, { sizeBytes: 10_000, files: 3 })
  const copy = readFileSync(`${file}.1`)
  expect(copy.length).toBeLessThan(20_000)
  expect(copy.toString().endsWith('c'.repeat(5000))).toBe(true)
})

test('a log that cannot be copied stays, until it has outgrown twice its size', () => {
  mkdirSync(`${file}.0`)
  writeSync(writer, 'd'.repeat(1500))
  expect(() => rotateLog(file, rule)).toThrow()
  expect(statSync(file).size).toBe(1500)
  writeSync(writer, 'd'.repeat(1500))
  expect(() => rotateLog(file, rule)).toThrow()
  expect(statSync(file).size).toBe(0)
})
