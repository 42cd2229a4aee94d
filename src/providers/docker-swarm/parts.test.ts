import { describe, expect, test } from 'vitest'
import { dockerfileForNode } from './images/context.ts'
import { chooseVersion } from './docker/docker-door.ts'
import { parseLine, readFrames } from './logs.ts'

describe('the version of the API', () => {
  test.each([
    ['1.41', '1.12', '1.41'],
    ['1.50', '1.24', '1.41'],
    ['1.52', '1.44', '1.44'],
    ['2.0', '1.9', '1.41'],
  ])('of %s down to %s is %s', (ApiVersion, MinAPIVersion, chosen) => {
    expect(chooseVersion({ ApiVersion, MinAPIVersion })).toBe(chosen)
  })

  test('is refused when it is too old', () => {
    expect(() => chooseVersion({ ApiVersion: '1.9', MinAPIVersion: '1.9' })).toThrow(
      'speaks API 1.9, and 1.41 is needed',
    )
  })
})

describe('the log of a task', () => {
  const frame = (text: string): Buffer => {
    const header = Buffer.alloc(8)
    header[0] = 1
    header.writeUInt32BE(Buffer.byteLength(text), 4)
    return Buffer.concat([header, Buffer.from(text)])
  }
  const read = async (chunks: readonly Buffer[]): Promise<readonly string[]> => {
    const messages: string[] = []
    for await (const message of readFrames(chunks)) messages.push(message)
    return messages
  }

  test('comes in frames, however it is cut', async () => {
    const whole = Buffer.concat([frame('one\n'), frame('zwölf\n'), frame('')])
    for (let at = 0; at <= whole.length; at++) {
      expect(await read([whole.subarray(0, at), whole.subarray(at)])).toEqual(['one\n', 'zwölf\n', ''])
    }
    expect(await read([whole.subarray(0, whole.length - 9)])).toEqual(['one\n'])
  })

  test.each([
    ['2026-11-26T02:28:19.371906540Z bye\n', { at: 1_795_660_099_371_906, text: 'bye' }],
    ['2026-11-26T02:28:19Z a b \r\n', { at: 1_795_660_099_000_000, text: 'a b ' }],
    ['2026-11-26T02:28:19.5Z \n', { at: 1_795_660_099_500_000, text: '' }],
  ])('has the time before each line: %j', (message, line) => {
    expect(parseLine(message)).toEqual(line)
  })
})

test('a Dockerfile for Node installs what the lock file names, before the files that change more often', () => {
  expect(dockerfileForNode('node:24-slim', false)).toBe('FROM node:24-slim\nWORKDIR /app\nCOPY . .\n')
  expect(dockerfileForNode('node:24-slim', true)).toBe(
    'FROM node:24-slim\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci --omit=dev\nCOPY . .\n',
  )
})
