import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ReleaseSource } from '../../capabilities/environment/ports.ts'
import { systemClock } from '../../kernel/std/index.ts'
import { releaseFiles } from './index.ts'

let root = ''
let store: ReturnType<typeof releaseFiles>
const never = new AbortController().signal

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'holdfast-releases-'))
  store = releaseFiles({ directory: join(root, 'web', '.holdfast', 'releases'), clock: systemClock })
  mkdirSync(join(root, 'web', 'lib'), { recursive: true })
  writeFileSync(join(root, 'web', 'app.js'), 'one')
  writeFileSync(join(root, 'web', 'lib', 'run'), '#!/bin/sh\n')
  chmodSync(join(root, 'web', 'lib', 'run'), 0o755)
  symlinkSync('app.js', join(root, 'web', 'link'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const add = (release: string, source: ReleaseSource) => store.add({ service: 'web', release }, source, never)
const text = (release: string, file: string): string =>
  readFileSync(join(store.directoryOf('web', release), file), 'utf8')
const git = (...words: string[]): void => {
  const who = ['-c', 'user.name=test', '-c', 'user.email=test@example.com']
  execFileSync('git', ['-C', join(root, 'web'), ...who, ...words], { stdio: 'ignore' })
}

describe('releases', () => {
  test('of a directory hold its files, without repositories and without themselves', async () => {
    mkdirSync(join(root, 'web', '.git'))
    const made = await add('1', { kind: 'directory', path: join(root, 'web') })
    expect(made).toMatchObject({ release: '1', files: 3, source: `directory ${join(root, 'web')}` })
    expect(text('1', 'link')).toBe('one')
    expect(existsSync(join(store.directoryOf('web', '1'), '.git'))).toBe(false)
    expect(existsSync(join(store.directoryOf('web', '1'), '.holdfast'))).toBe(false)
    execFileSync(join(store.directoryOf('web', '1'), 'lib', 'run'))
  })

  test('can be read by everybody and changed by their owner only, whatever modes said', async () => {
    chmodSync(join(root, 'web', 'app.js'), 0o600)
    chmodSync(join(root, 'web', 'lib', 'run'), 0o4770)
    await add('1', { kind: 'directory', path: join(root, 'web') })
    const modeOf = (path: string): number => statSync(join(store.directoryOf('web', '1'), path)).mode & 0o7777
    expect(['.', 'app.js', 'lib', 'lib/run'].map(modeOf)).toEqual([0o755, 0o644, 0o755, 0o755])
    expect(statSync(join(root, 'web', '.holdfast', 'releases', 'web')).mode & 0o777).toBe(0o711)
  })

  test('never change: the same files again are the same release, others are refused', async () => {
    const source = { kind: 'directory', path: join(root, 'web') } as const
    const first = await add('1', source)
    expect(await add('1', source)).toEqual(first)
    writeFileSync(join(root, 'web', 'app.js'), 'two')
    await expect(add('1', source)).rejects.toMatchObject({ code: 'environment.release-exists' })
    expect(text('1', 'app.js')).toBe('one')
    await add('2', source)
    expect((await store.list('web')).map(({ release }) => release).toSorted()).toEqual(['1', '2'])
    await store.remove('web', '1')
    await store.remove('web', '1')
    expect((await store.list('web')).map(({ release }) => release)).toEqual(['2'])
  })

  test('are gone in one step; what was interrupted is no release, and is tidied away', async () => {
    const source = { kind: 'directory', path: join(root, 'web') } as const
    const kept = join(root, 'web', '.holdfast', 'releases', 'web')
    for (const release of ['1', '2']) await add(release, source)
    for (const left of ['.3.new', '.0.gone', '.1.gone'])
      mkdirSync(join(kept, left, 'files'), { recursive: true })
    expect((await store.list('web')).map(({ release }) => release).toSorted()).toEqual(['1', '2'])
    await store.remove('web', '1')
    await store.tidy('web')
    await store.tidy('other')
    expect(readdirSync(kept)).toEqual(['2'])
  })

  test('may be images: kept beside those of files, and never another under the same name', async () => {
    const place = { service: 'web', release: '2' }
    const found = { name: 'r/web:2', image: 'r/web:2@sha256:ab', digest: 'ab', sizeBytes: 7 }
    await add('1', { kind: 'directory', path: join(root, 'web') })
    const kept = await store.addImage(place, found)
    expect(kept).toMatchObject({ release: '2', source: 'image r/web:2', files: 0, image: found.image })
    expect(await store.addImage(place, found)).toEqual(kept)
    const refused = { code: 'environment.release-exists' }
    await expect(store.addImage(place, { ...found, digest: 'cd' })).rejects.toMatchObject(refused)
    await expect(add('2', { kind: 'directory', path: join(root, 'web') })).rejects.toMatchObject(refused)
    await expect(store.addImage({ ...place, release: '1' }, found)).rejects.toMatchObject(refused)
    const all = await store.list('web')
    expect(Object.fromEntries(all.map(({ release, image }) => [release, image]))).toEqual({
      '1': null,
      '2': found.image,
    })
    await store.remove('web', '2')
    expect((await store.list('web')).map(({ release }) => release)).toEqual(['1'])
  })

  test('of a git ref hold what was committed, whatever lies about', async () => {
    git('init', '--quiet')
    git('add', 'app.js', 'lib')
    git('commit', '--quiet', '--message', 'first')
    git('tag', 'v1')
    writeFileSync(join(root, 'web', 'app.js'), 'dirty')
    await add('1', { kind: 'git', path: join(root, 'web'), ref: 'v1' })
    expect(text('1', 'app.js')).toBe('one')
    for (const ref of ['v2', '--output=/tmp/x', '']) {
      await expect(add('2', { kind: 'git', path: join(root, 'web'), ref })).rejects.toMatchObject({
        code: 'environment.release-unreadable',
      })
    }
    await expect(add('2', { kind: 'git', path: root, ref: 'v1' })).rejects.toThrow('git')
  })

  test.each(['web', '.'])(
    'of a tarball of %j hold its files; its one directory is not one of them',
    async (what) => {
      const path = join(root, 'release.tgz')
      const from = what === '.' ? ['-C', join(root, 'web'), '.'] : ['-C', root, what]
      execFileSync('tar', ['-czf', path, ...from])
      await add('1', { kind: 'tarball', path })
      expect(text('1', 'app.js')).toBe('one')
    },
  )

  test('that cannot be read say so and leave nothing', async () => {
    writeFileSync(join(root, 'broken.tgz'), 'garbage')
    const sources: ReleaseSource[] = [
      { kind: 'tarball', path: join(root, 'broken.tgz') },
      { kind: 'tarball', path: join(root, 'missing.tgz') },
      { kind: 'directory', path: join(root, 'nowhere') },
      { kind: 'directory', path: join(root, 'web', 'app.js') },
    ]
    for (const source of sources) {
      await expect(add('1', source)).rejects.toMatchObject({ code: 'environment.release-unreadable' })
    }
    expect(await store.list('web')).toEqual([])
  })

  describe('that were changed by hand', () => {
    const look = () => store.look('web', '1', never)
    /** The times of files lag behind the clock by a tick of the kernel. */
    const tickMs = 50
    const stored = async () => {
      const release = await add('1', { kind: 'directory', path: join(root, 'web') })
      await new Promise((soon) => setTimeout(soon, tickMs))
      return release
    }
    const at = (path: string): string => join(store.directoryOf('web', '1'), path)

    test('are told from those that were not, however often one looks', async () => {
      const release = await stored()
      expect(await look()).toEqual({ state: 'same' })
      writeFileSync(at('app.js'), 'own')
      const found = await look()
      expect(found).toMatchObject({ state: 'changed', paths: ['app.js'] })
      expect(found.state === 'changed' && found.since).toBeGreaterThanOrEqual(release.at)
      writeFileSync(at('app.js'), 'one')
      expect(await look()).toEqual({ state: 'same' })
    })

    test('are found by modes, by what is new and by what is missing', async () => {
      await stored()
      chmodSync(at('app.js'), 0o755)
      expect(await look()).toMatchObject({ state: 'changed', paths: ['app.js'] })
      chmodSync(at('app.js'), 0o644)
      writeFileSync(at('lib/new.js'), 'new')
      expect(await look()).toMatchObject({ state: 'changed', paths: ['lib/new.js'] })
      rmSync(at('lib/new.js'))
      expect(await look()).toEqual({ state: 'same' })
      rmSync(at('lib/run'))
      expect(await look()).toMatchObject({ state: 'changed', paths: ['lib/'] })
      rmSync(at('.'), { recursive: true })
      expect(await look()).toEqual({ state: 'gone' })
      expect(await store.look('web', '2', never)).toEqual({ state: 'gone' })
    })
  })
})
