import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '../../../kernel/std/index.ts'
import {
  diagnoseClock,
  diagnoseFiles,
  diagnoseFlush,
  diagnoseNode,
  diagnoseSpace,
  diagnoseSystem,
} from './diagnosis.ts'
import { lookAtDisk, lookAtPort } from './looks.ts'

const limits = (hard: string): string =>
  `Limit Soft Hard\nMax open files            1024                 ${hard}     files\n`

test.each([
  [diagnoseNode('24.21.0'), 'ok'],
  [diagnoseNode('20.20.2'), 'fail'],
  [diagnoseFiles(limits('1048576')), 'ok'],
  [diagnoseFiles(limits('unlimited')), 'ok'],
  [diagnoseFiles(limits('4096')), 'warn'],
  [diagnoseFiles(''), 'warn'],
  [diagnoseSpace(50 * 2 ** 30, '/d'), 'ok'],
  [diagnoseSpace(2 ** 30, '/d'), 'warn'],
  [diagnoseSpace(2 ** 20, '/d'), 'fail'],
  [diagnoseFlush([1, 2, 3], '/d'), 'ok'],
  [diagnoseFlush([1, 80, 90], '/d'), 'warn'],
  [diagnoseClock(true), 'ok'],
  [diagnoseClock(null), 'warn'],
])('%j', (diagnosis, state) => {
  expect(diagnosis.state).toBe(state)
  expect(state !== 'fail' || diagnosis.mend !== undefined).toBe(true)
})

test('a system that is not supported is a failure', () => {
  expect(diagnoseSystem('win32', -1).map(({ state }) => state)).toEqual(['fail'])
  expect(diagnoseSystem('linux', 0).map(({ state }) => state)).toEqual(['ok', 'warn'])
})

test('a look at the disk leaves nothing behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-doctor-'))
  try {
    const diagnoses = await lookAtDisk(join(folder, 'not', 'there', 'yet'), systemClock)
    expect(diagnoses.map(({ about }) => about)).toEqual(['data directory', 'disk space', 'disk speed'])
    expect(await readdir(folder)).toEqual([])
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a port in use is told from a free one', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  expect(await lookAtPort('127.0.0.1', port, 'edge port')).toMatchObject({ state: 'fail' })
  await new Promise((resolve) => server.close(resolve))
  expect(await lookAtPort('127.0.0.1', port, 'edge port')).toMatchObject({ state: 'ok' })
})
