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
  diagnoseSystemd,
  diagnoseUsers,
  diagnoseVersions,
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
  [diagnoseVersions([]), 'ok'],
  [diagnoseVersions(['the edge speaks version 3']), 'fail'],
])('%j', (diagnosis, state) => {
  expect(diagnosis.state).toBe(state)
  expect(state !== 'fail' || diagnosis.mend !== undefined).toBe(true)
})

test('a system that is not supported is a failure', () => {
  expect(diagnoseSystem('win32')).toMatchObject({ state: 'fail' })
  expect(diagnoseSystem('linux')).toMatchObject({ state: 'ok' })
})

const nobody = { running: [], notes: [] }
const web = { name: 'web', uid: 60_600 }

test.each([
  ['not started as root', diagnoseUsers(1000, null, nobody), 'sudo holdfast install'],
  ['without setpriv', diagnoseUsers(0, 'there is no setpriv', nobody), 'util-linux'],
  ['in a container', diagnoseUsers(0, 'root is without CAP_SYS_PTRACE', nobody), '--cap-add'],
  ['closed', diagnoseUsers(0, null, { running: [], notes: ['web runs as root: x'] }), 'setfacl'],
  ['chosen', diagnoseUsers(0, null, { running: [{ ...web, uid: 0 }], notes: [] }), "user: 'root'"],
  ['without systemd', diagnoseSystemd(false, undefined), 'holdfast up --attach'],
])('users and systemd: %s', (_, diagnosis, mend) => {
  expect(diagnosis.state).toBe('warn')
  expect(diagnosis.mend).toContain(mend)
})

test('users and systemd as they should be', () => {
  const good = [
    diagnoseUsers(0, null, { running: [web], notes: ['no cgroups'] }),
    diagnoseSystemd(true, 'holdfast-x.service'),
    diagnoseSystemd(true, undefined),
  ]
  expect(good.map(({ state }) => state)).toEqual(['ok', 'ok', 'ok'])
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
