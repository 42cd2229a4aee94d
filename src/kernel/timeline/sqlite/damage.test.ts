import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, it } from 'vitest'
import { markPath, readMark } from '../../store/index.ts'
import { newFact, newFacts } from '../conformance/facts.ts'
import { openTimeline, verifyFile, type Timeline } from '../index.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-timeline-damage-'))
let files = 0
const freshPath = (): string => join(folder, `${files++}`, 'timeline.db')

afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function built(count: number): Promise<string> {
  const path = freshPath()
  const timeline = await openTimeline({ path })
  await timeline.append(newFacts(count, { subject: 'service:web', correlation: 'job-1' }))
  await timeline.close()
  return path
}

function tamper(path: string, sql: string): void {
  const db = new DatabaseSync(path)
  db.exec(sql)
  db.close()
}

describe('tampering', () => {
  it.each([
    ['the data', `UPDATE facts SET data = replace(data, '399', '398') WHERE sequence = 400`],
    [
      'one byte of the data',
      `UPDATE facts SET data = substr(data, 1, 2) || 'I' || substr(data, 4) WHERE sequence = 400`,
    ],
    ['the salt', `UPDATE facts SET salt = randomblob(16) WHERE sequence = 400`],
    [
      'the kind',
      `INSERT INTO kinds VALUES (99, 'house.forged'); UPDATE facts SET kind = 99 WHERE sequence = 400`,
    ],
    ['the kind, to none', `UPDATE facts SET kind = 98 WHERE sequence = 400`],
    ['the severity', `UPDATE facts SET severity = 3 WHERE sequence = 400`],
    ['the actor', `UPDATE facts SET actor = 'person:eve' WHERE sequence = 400`],
    ['the subject', `UPDATE facts SET subject = NULL WHERE sequence = 400`],
    ['the time', `UPDATE facts SET at = at + 1 WHERE sequence = 400`],
    ['the id', `UPDATE facts SET id = upper(id) || 'x' WHERE sequence = 400`],
    ['the hash', `UPDATE facts SET hash = zeroblob(32) WHERE sequence = 400`],
    ['the row away', `DELETE FROM facts WHERE sequence = 400`],
    ['the rows of a block away', `DELETE FROM facts WHERE sequence >= 400 AND sequence < 1200`],
    [
      'the payload into an erased one',
      `UPDATE facts SET data = NULL, salt = NULL, erased = zeroblob(32) WHERE sequence = 400`,
    ],
  ])('with %s is found, and the fact named', async (_, sql) => {
    const path = await built(1500)
    tamper(path, sql)
    const { broken } = await verifyFile(path)
    expect(broken?.sequence).toBe(400)
  })

  it('that cuts off the newest facts is found with an anchor only', async () => {
    const path = await built(1500)
    const timeline = await openTimeline({ path })
    const anchor = (await timeline.head()) ?? undefined
    await timeline.close()
    tamper(path, 'DELETE FROM facts WHERE sequence > 1400')
    expect(await verifyFile(path)).toMatchObject({ broken: null, anchor: 'none' })
    expect(await verifyFile(path, { anchor })).toMatchObject({ broken: { sequence: 1401 }, anchor: 'broken' })
  })

  it('among the newest thousand is found when the timeline is opened', async () => {
    const path = await built(1500)
    tamper(path, `UPDATE facts SET actor = 'person:eve' WHERE sequence = 700`)
    const opening = openTimeline({ path })
    await expect(opening).rejects.toMatchObject({
      code: 'timeline.corrupt',
      message: expect.stringContaining('fact 700') as string,
    })
  })

  it('while the timeline is open is found too', async () => {
    const path = freshPath()
    const timeline = await openTimeline({ path })
    await timeline.append(newFacts(1500))
    tamper(path, `UPDATE facts SET data = '{}' WHERE sequence = 321`)
    expect(await timeline.verify()).toMatchObject({ checked: 320, broken: { sequence: 321 } })
    await timeline.close()
  })
})

describe('a timeline without its newest facts', () => {
  /** What a kill leaves behind, where the `-wal` is lost on top of it; 1,500 facts are in the file, `more` are lost. */
  async function withoutLog(more: number): Promise<string> {
    const path = await built(1500)
    const timeline = await openTimeline({ path })
    if (more > 0) await timeline.append(newFacts(more))
    const copy = freshPath()
    mkdirSync(dirname(copy))
    for (const each of [(of: string) => of, markPath]) copyFileSync(each(path), each(copy))
    await timeline.close()
    return copy
  }

  it.each([
    ['a lost -wal', 'missing (7, from 1501 on)', () => undefined],
    ['the file gone', 'it is gone, and once had 1507 facts', (path: string) => rmSync(path)],
    [
      'another chain',
      'fact 1500 is not the one that was recorded',
      (path: string) => writeFileSync(markPath(path), `1500:${'a'.repeat(64)}\n`),
    ],
  ])('is refused: %s', async (_, says, damage) => {
    const path = await withoutLog(7)
    damage(path)
    await expect(openTimeline({ path })).rejects.toMatchObject({
      code: 'timeline.corrupt',
      message: expect.stringContaining(says) as string,
      hint: expect.stringContaining(markPath(path)) as string,
    })
  })

  it.each([
    ['nothing is missing', 0, () => undefined],
    ['the mark was removed', 7, (path: string) => rmSync(markPath(path))],
    ['the mark is torn', 7, (path: string) => writeFileSync(markPath(path), '7:aa')],
  ])('opens when %s, and is marked again', async (_, more, change) => {
    const path = await withoutLog(more)
    change(path)
    const timeline = await openTimeline({ path })
    expect(readMark(path)).toEqual({ number: 1500, hash: (await timeline.head())?.hash })
    await timeline.append(newFacts(2))
    expect(readMark(path)?.number).toBe(1502)
    await timeline.close()
  })
})

describe('erasing', () => {
  it('leaves nothing of the payload in any file', async () => {
    const path = freshPath()
    const timeline = await openTimeline({ path })
    const address = 'someone@private.example'
    await timeline.append([
      newFact({ data: { address } }),
      newFact({ data: { long: `${address} `.repeat(2000) } }),
      newFact(),
    ])
    await timeline.erase(1)
    await timeline.erase(2)
    const found = [path, `${path}-wal`].filter(
      (file) => existsSync(file) && readFileSync(file).includes(address),
    )
    expect(found).toEqual([])
    expect(await timeline.verify()).toMatchObject({ checked: 3, broken: null })
    await timeline.close()
  })
})

describe('a damaged file', () => {
  const damages: [string, (path: string) => void][] = [
    ['overwritten at its beginning', (path) => writeFileSync(path, 'this is no database'.repeat(1000))],
    ['emptied', (path) => truncateSync(path, 0)],
    ['cut in half', (path) => truncateSync(path, Math.floor(statSync(path).size / 2 / 4096) * 4096)],
    [
      'gone, with its log left',
      (path) => {
        rmSync(path)
        writeFileSync(`${path}-wal`, 'x'.repeat(100))
      },
    ],
    [
      'overwritten in the middle',
      (path) => writeSync(openSync(path, 'r+'), Buffer.alloc(8192, 0xff), 0, 8192, 4096 * 10),
    ],
    [
      'of another program',
      (path) => {
        rmSync(path)
        tamper(path, 'CREATE TABLE t (x)')
      },
    ],
    ['of a later version', (path) => tamper(path, 'PRAGMA user_version = 2')],
  ]
  it.each(damages)('%s is refused and left alone', async (_, damage) => {
    const path = await built(3000)
    damage(path)
    const before = existsSync(path) ? readFileSync(path) : null
    const opening = openTimeline({ path })
    await expect(opening).rejects.toMatchObject({
      code: 'timeline.corrupt',
      hint: expect.stringContaining('backup') as string,
    })
    const after = existsSync(path) ? readFileSync(path) : null
    expect(after).toEqual(before)
  })

  it('that was never finished is no damage: creating begins anew', async () => {
    const path = freshPath()
    await (await openTimeline({ path: `${path}2` })).close()
    writeFileSync(`${path}.new`, 'half a file')
    const timeline = await openTimeline({ path })
    expect(await timeline.append(newFacts(1))).toHaveLength(1)
    await timeline.close()
  })
})

describe('a place that will not do', () => {
  it('says that the directory cannot be made', async () => {
    const file = join(folder, 'a-file')
    writeFileSync(file, '')
    const opening = openTimeline({ path: join(file, 'data', 'timeline.db') })
    await expect(opening).rejects.toMatchObject({
      code: 'timeline.unwritable',
      hint: expect.stringContaining('writable') as string,
    })
  })

  it('says that the directory cannot be written', async () => {
    const directory = join(folder, 'read-only')
    mkdirSync(directory)
    // Nothing is unwritable for root: then a directory that takes no new files does as well.
    const isRoot = process.getuid?.() === 0
    if (isRoot) mkdirSync(join(directory, 'timeline.db.lock'))
    else chmodSync(directory, 0o500)
    await expect(openTimeline({ path: join(directory, 'timeline.db') })).rejects.toMatchObject({
      code: 'timeline.unwritable',
    })
    chmodSync(directory, 0o700)
  })

  it('lets only one in, and the next one after it has closed', async () => {
    const path = freshPath()
    const first = await openTimeline({ path })
    await expect(openTimeline({ path })).rejects.toMatchObject({ code: 'timeline.locked' })
    expect(await first.append(newFacts(1))).toHaveLength(1)
    await first.close()
    await (await openTimeline({ path })).close()
  })

  it('keeps its files from others', async () => {
    const path = await built(1)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(`${path}.lock`).mode & 0o777).toBe(0o600)
  })
})

/** Appends until that fails; returns how many facts were acknowledged, and the failure. */
async function fill(
  timeline: Timeline,
): Promise<{ readonly acknowledged: number; readonly failure: unknown }> {
  const text = 'x'.repeat(20_000)
  for (let acknowledged = 0; acknowledged < 2000; acknowledged += 2) {
    try {
      await timeline.append([newFact({ data: { text } }), newFact()])
    } catch (failure) {
      return { acknowledged, failure }
    }
  }
  throw new Error('the disk never got full')
}

const diskFull = { code: 'timeline.disk-full', kind: 'operational' }

describe('a full disk', () => {
  it('rejects the append, keeps all that was acknowledged, and goes on once there is space', async () => {
    const path = freshPath()
    const timeline = await openTimeline({ path, maxFileBytes: 1_000_000 })
    const { acknowledged, failure } = await fill(timeline)
    expect(failure).toMatchObject(diskFull)
    expect((await timeline.head())?.sequence).toBe(acknowledged)
    expect(await timeline.verify()).toMatchObject({ checked: acknowledged, broken: null })
    await expect(timeline.append([newFact({ data: { text: 'x'.repeat(20_000) } })])).rejects.toMatchObject({
      code: 'timeline.disk-full',
    })
    await timeline.close()
    const again = await openTimeline({ path })
    const [next] = await again.append(newFacts(1, { kind: 'house.went-on' }))
    expect(next?.sequence).toBe(acknowledged + 1)
    expect(await again.read({ kinds: ['house.went-on'] })).toHaveLength(1)
    expect(await again.verify()).toMatchObject({ checked: acknowledged + 1, broken: null })
    await again.close()
  })

  const mountPoint = join(folder, 'small')
  mkdirSync(mountPoint)
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mountPoint]).status === 0
  it.skipIf(!isMounted)('of its own, mounted small (needs root)', async () => {
    try {
      const ballast = join(mountPoint, 'ballast')
      writeFileSync(ballast, Buffer.alloc(300_000))
      const timeline = await openTimeline({ path: join(mountPoint, 'timeline.db') })
      const { acknowledged, failure } = await fill(timeline)
      expect(failure).toMatchObject(diskFull)
      rmSync(ballast)
      const [next] = await timeline.append(newFacts(1))
      expect(next?.sequence).toBe(acknowledged + 1)
      expect(await timeline.verify()).toMatchObject({ checked: acknowledged + 1, broken: null })
      await timeline.close()
    } finally {
      spawnSync('umount', [mountPoint])
    }
  })
})
