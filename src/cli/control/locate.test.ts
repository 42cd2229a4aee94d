import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { environmentFileNames } from '../../contracts/environment-file.ts'
import { findDataDirectory, locateControl, readRun } from './index.ts'

let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-locate-'))
})

afterEach(() => rm(folder, { recursive: true, force: true }))

async function pretendToRun(data: string): Promise<void> {
  await mkdir(join(data, 'run'), { recursive: true })
  await writeFile(join(data, 'run', 'control.json'), '{"pid":1,"url":"http://127.0.0.1:9999"}')
  await writeFile(join(data, 'root.token'), 'the-token\n')
}

test.each(environmentFileNames)('the data directory lies beside the nearest %s above', async (name) => {
  await writeFile(join(folder, name), '')
  const deep = join(folder, 'a', 'b')
  await mkdir(deep, { recursive: true })
  expect(await findDataDirectory({ directory: deep })).toBe(join(folder, '.holdfast'))
})

test('--data and --config say it outright', async () => {
  expect(await findDataDirectory({ directory: folder, data: 'd' })).toBe(join(folder, 'd'))
  expect(await findDataDirectory({ directory: folder, config: 'x/holdfast.config.ts' })).toBe(
    join(folder, 'x', '.holdfast'),
  )
})

test('what runs is found by its data directory, with its token', async () => {
  await pretendToRun(join(folder, '.holdfast'))
  expect(await locateControl({ directory: folder })).toMatchObject({
    url: 'http://127.0.0.1:9999',
    token: 'the-token',
  })
  expect(await locateControl({ directory: folder, token: 'mine' })).toMatchObject({ token: 'mine' })
})

test('an address by hand needs no files', async () => {
  expect(await locateControl({ directory: folder, url: 'https://control.example/', token: 't' })).toEqual({
    url: 'https://control.example',
    token: 't',
  })
})

test('what does not run is said with the command that starts it', async () => {
  await expect(locateControl({ directory: folder })).rejects.toMatchObject({
    code: 'control.unreachable',
    hint: expect.stringContaining('holdfast up') as string,
  })
})

test('what a control wrote is read with its pid, and anything else means that none runs', async () => {
  const file = join(folder, 'run', 'control.json')
  await pretendToRun(folder)
  expect(await readRun(folder)).toEqual({ pid: 1, url: 'http://127.0.0.1:9999' })
  for (const text of ['{"pid":1', 'null', '{"pid":"1","url":"http://127.0.0.1:1"}', '{"pid":1}']) {
    await writeFile(file, text)
    await expect(readRun(folder)).rejects.toMatchObject({ code: 'control.unreachable' })
  }
})
