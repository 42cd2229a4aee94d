import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { until } from '../../../../test/support/holdfast/index.ts'
import { decideWish } from './changes.ts'
import { createIgnore } from './ignore.ts'
import { newLines } from './logs.ts'
import { createSelfWriting } from './self-writing.ts'
import { createWatch, readIgnoreFile } from './watch.ts'

describe('what a change asks for', () => {
  const territory = {
    file: '/srv/shop/holdfast.config.ts',
    directory: '/srv/shop',
    services: { web: '/srv/shop', worker: '/srv/shop', site: '/srv/shop/site', api: '/srv/api' },
  }
  const wish = (...paths: readonly string[]) => decideWish(paths, territory)

  test.each([
    ['/srv/shop/holdfast.config.ts', true, []],
    ['/srv/shop/rules.ts', true, ['web', 'worker']],
    ['/srv/shop/.env.local', true, ['web', 'worker']],
    ['/srv/shop/style.css', false, ['web', 'worker']],
    ['/srv/shop/site/page.html', false, ['site']],
    ['/srv/api/main.go', false, ['api']],
    ['/srv/api/main.js', false, ['api']],
    ['/srv/apiary/main.js', false, []],
  ])('%s', (path, reload, restart) => {
    expect(wish(path)).toEqual({ reload, restart })
  })

  test('several at once are one wish', () => {
    expect(wish('/srv/api/a.go', '/srv/api/b.go', '/srv/shop/site/c.css')).toEqual({
      reload: false,
      restart: ['api', 'site'],
    })
  })
})

describe('what is not watched', () => {
  const lines = ['# built', 'dist/', '/data', '*.gen.ts', 'docs/**/draft?.md', '!keep.gen.ts', '']
  const isIgnored = createIgnore([{ directory: '/srv/shop', lines }])

  test.each([
    ['/srv/shop/node_modules', true],
    ['/srv/shop/web.log', true],
    ['/srv/shop/shop.sqlite-wal', true],
    ['/srv/shop/.web.ts.swp', true],
    ['/srv/shop/dist', true],
    ['/srv/shop/dist/web.js', true],
    ['/srv/shop/site/dist/web.js', true],
    ['/srv/shop/data/x.json', true],
    ['/srv/shop/site/data/x.json', false],
    ['/srv/shop/a.gen.ts', true],
    ['/srv/shop/docs/a/b/draft1.md', true],
    ['/srv/shop/docs/a/draft12.md', false],
    ['/srv/shop/distance.ts', false],
    ['/srv/other/dist/web.js', false],
    ['/srv/shop/web.ts', false],
  ])('%s: %s', (path, ignored) => {
    expect(isIgnored(path)).toBe(ignored)
  })
})

describe('a file that a service writes itself', () => {
  test('is left out when it has followed four restarts in a row, and said once', () => {
    const sift = createSelfWriting()
    const at = (calmForMs: number) => sift(['a', 'b'], calmForMs)
    for (const calmForMs of [0, 300, 1999]) expect(at(calmForMs)).toEqual({ wanted: ['a', 'b'], left: [] })
    expect(at(0)).toEqual({ wanted: [], left: ['a', 'b'] })
    expect(at(60_000)).toEqual({ wanted: [], left: [] })
  })

  test('is one only when nobody changes it in calm', () => {
    const sift = createSelfWriting()
    const wanted = [0, 0, 0, 2000, 0, 0, 0].map((calmForMs) => sift(['a'], calmForMs).wanted.length)
    expect(wanted).toEqual([1, 1, 1, 1, 1, 1, 1])
  })
})

test('lines of a log that were said before are not said again', () => {
  expect(newLines(['a', 'b', 'c'], null)).toEqual(['a', 'b', 'c'])
  expect(newLines(['a', 'b', 'a', 'c'], 'a')).toEqual(['c'])
  expect(newLines(['d', 'e'], 'gone')).toEqual(['d', 'e'])
})

test('a watch sees files of old and new directories, gathered, and not what is ignored', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-watch-'))
  const seen: string[] = []
  await writeFile(join(folder, '.gitignore'), 'built\n')
  const watch = createWatch({
    isIgnored: createIgnore([await readIgnoreFile(folder)]),
    onChange: (paths) => seen.push(paths.map((path) => path.slice(folder.length + 1)).join('+')),
  })
  try {
    await mkdir(join(folder, 'old'))
    await mkdir(join(folder, 'built'))
    await mkdir(join(folder, 'node_modules'))
    await watch.follow([folder])
    await writeFile(join(folder, 'built', 'x.js'), '')
    await writeFile(join(folder, 'node_modules', 'y.js'), '')
    await writeFile(join(folder, 'a.js'), '')
    await writeFile(join(folder, 'old', 'b.js'), '')
    await until('both at once', () => seen.includes('a.js+old/b.js'))
    await mkdir(join(folder, 'new'))
    await until('the new directory', async () => {
      await writeFile(join(folder, 'new', 'c.js'), '')
      return seen.includes('new/c.js')
    })
    expect(seen.filter((paths) => /built|node_modules/.test(paths))).toEqual([])
  } finally {
    watch.close()
    await rm(folder, { recursive: true })
  }
})
