import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, it } from 'vitest'
import { openTimeline, startView } from '../index.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-timeline-crash-'))
const path = join(folder, 'timeline.db')
const door = pathToFileURL(join(import.meta.dirname, '..', 'index.ts')).href

/** Appends from many callers as fast as it goes, and says which sequence numbers were acknowledged. */
const program = `
import { writeSync } from 'node:fs'
import { openTimeline, startView } from ${JSON.stringify(door)}
const timeline = await openTimeline({ path: process.argv[2] })
const fold = { name: 'count@1', initial: { facts: 0 }, step: ({ facts }) => ({ facts: facts + 1 }) }
await startView(timeline, fold, { checkpointEvery: 50 })
const fact = { kind: 'house.tested', severity: 'info', subject: 'service:web', actor: 'holdfast', correlation: null, data: { text: 'x'.repeat(300) } }
const caller = async (size) => {
  for (;;) {
    const facts = await timeline.append(Array.from({ length: size }, () => fact))
    writeSync(1, facts.map(({ sequence, hash }) => sequence + ' ' + hash + '\\n').join(''))
  }
}
await Promise.all([1, 1, 2, 3, 20].map(caller))
`

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs the program until it has acknowledged some facts, and kills it after a while more. */
async function killed(moreMs: number): Promise<Map<number, string>> {
  const script = join(folder, 'append.mjs')
  writeFileSync(script, program)
  const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  await once(child.stdout, 'data')
  setTimeout(() => child.kill('SIGKILL'), moreMs)
  await once(child, 'close')
  const whole = said.slice(0, said.lastIndexOf('\n')).split('\n')
  return new Map(whole.map((line) => [Number(line.split(' ')[0]), line.split(' ')[1] ?? '']))
}

it('loses no acknowledged fact when it is killed, at whatever moment', async () => {
  const acknowledged = new Map<number, string>()
  for (const moreMs of [0, 13, 57, 140]) {
    for (const [sequence, hash] of await killed(moreMs)) acknowledged.set(sequence, hash)
    const timeline = await openTimeline({ path })
    const count = {
      name: 'count@1',
      initial: { facts: 0 },
      step: ({ facts }: { facts: number }) => ({ facts: facts + 1 }),
    }
    const view = await startView(timeline, count)
    const head = (await timeline.head())?.sequence ?? 0
    const found = new Map<number, string>()
    for (let after = 0; after < head; after += 10_000) {
      for (const { sequence, hash } of await timeline.read({ after, limit: 10_000 }))
        found.set(sequence, hash)
    }
    const lost = [...acknowledged].filter(([sequence, hash]) => found.get(sequence) !== hash)
    expect(lost).toEqual([])
    expect(await timeline.verify()).toMatchObject({ checked: head, broken: null })
    expect(view.state.facts).toBe(head)
    expect(await timeline.read({ subject: 'service:web', limit: 10_000 })).toHaveLength(
      Math.min(head, 10_000),
    )
    await timeline.close()
  }
  expect(acknowledged.size).toBeGreaterThan(100)
}, 120_000)
