import { expect, test } from 'vitest'
import { sayExit } from './say-exit.ts'

const plain = { outOfMemory: false, memoryMiB: 512 }

test.each([
  [{ code: 1, signal: null }, plain, 'ended with code 1'],
  [{ code: 0, signal: null }, plain, 'ended with code 0, but a service is not to end by itself'],
  [{ code: null, signal: 'SIGSEGV' }, plain, 'killed by SIGSEGV'],
  [{ code: null, signal: 'SIGKILL' }, plain, 'killed by SIGKILL'],
  [
    { code: null, signal: 'SIGKILL' },
    { ...plain, outOfMemory: true },
    'killed: it used more than 512 MiB of memory',
  ],
  [
    { code: null, signal: 'SIGKILL' },
    { outOfMemory: true, memoryMiB: null },
    'killed: the machine ran out of memory',
  ],
  [{ code: null, signal: null }, plain, 'ended; it had been adopted, so its exit code is not known'],
])('%o', (exit, circumstances, words) => {
  expect(sayExit(exit, circumstances)).toBe(words)
})
