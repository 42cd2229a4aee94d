import { expect, test } from 'vitest'
import { accept, parseMark, sayMark } from './accepted.ts'

const spec = {
  id: 'web/1',
  service: 'web',
  command: ['node', 'web.js'],
  directory: '/srv',
  variables: { A: '1', B: '2' },
  port: { assigned: true } as const,
  release: '',
  restarts: true,
  stopTimeoutMs: 1000,
  mayExpose: false,
  memoryMiB: null,
  cpus: null,
}

test('equal specifications have equal hashes, others have others', () => {
  const { specHash } = accept(spec)
  expect(specHash).toMatch(/^[0-9a-f]{16}$/)
  expect(accept({ ...spec, variables: { B: '2', A: '1' } }).specHash).toBe(specHash)
  expect(accept({ ...spec, variables: { A: '1', B: '3' } }).specHash).not.toBe(specHash)
  expect(accept({ ...spec, command: ['node', 'web.js', ''] }).specHash).not.toBe(specHash)
})

test('a mark is read as it was said, and nothing else is one', () => {
  const mark = { environment: 'abc123', id: 'my-web/12', specHash: '00ff' }
  expect(parseMark(sayMark(mark))).toEqual(mark)
  for (const text of ['', 'abc', 'abc/web/1', 'xyz/web/1/00', 'abc/web/one/00', 'abc/web/1/00/']) {
    expect(parseMark(text)).toBeUndefined()
  }
})
