import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { freePort } from '../../../../test/support/holdfast/index.ts'
import { systemClock } from '../../../kernel/std/index.ts'
import { createPaper, createVoice } from '../../output/index.ts'
import type { Finding } from './judge.ts'
import { checkLive } from './index.ts'

const script = join(import.meta.dirname, '../../../../test/support/origins/liars.mjs')

interface Wanted {
  readonly json?: boolean
  readonly slowPath?: string
  readonly signal?: AbortSignal
}

/** What a check in a folder of its own came to. */
interface Checked {
  readonly code: number
  readonly said: string
}

async function check(service: object, { json = true, slowPath, signal }: Wanted = {}): Promise<Checked> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-live-'))
  const environment = { name: 'shop', services: { web: service }, volumes: { game: {} } }
  await writeFile(join(folder, 'holdfast.config.ts'), `export default ${JSON.stringify(environment)}`)
  let said = ''
  const sink = { write: (text: string) => void (said += text) }
  const paper = createPaper({ terminal: false, colour: false, nowMs: 0 })
  try {
    const code = await checkLive(
      { service: 'web', slowPath },
      {
        voice: createVoice({ out: sink, err: sink, json, paper }),
        directions: { directory: folder },
        variables: { PATH: process.env['PATH'] },
        clock: systemClock,
        signal: signal ?? new AbortController().signal,
        interactive: false,
        open: () => Promise.reject(new Error('a live check asks nobody')),
        readInput: () => Promise.resolve(''),
      },
    )
    return { code, said }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const liar = (lie: string, ...more: readonly string[]) => ({
  command: [process.execPath, script, lie, ...more],
  health: '/healthz',
  stopTimeout: '2500ms',
  startTimeout: '5s',
})

/** The findings of a check, without how to mend them. */
const findings = ({ said }: Checked): readonly string[] =>
  (JSON.parse(said) as { readonly findings: readonly Finding[] }).findings.map(
    ({ about, state, says }) =>
      `${state} ${about}: ${says.replaceAll(/\b\d{5}\b/g, '<port>').replaceAll(/[\d.]+ m?s\b/g, '<time>')}`,
  )

const only = (state: Finding['state'], checked: Checked): readonly string[] =>
  findings(checked).filter((line) => line.startsWith(state))

const timeout = 60_000

describe.concurrent('a service that keeps the rules', { timeout }, () => {
  test('is told so, line by line', async () => {
    const checked = await check(liar('good'), { slowPath: '/slow' })
    expect(checked.code).toBe(0)
    expect(findings(checked)).toEqual([
      'ok start: it was well after <time>',
      'ok port: told <port> it listens there, and told <port> it listens there',
      'ok loopback: it listens on loopback only',
      'ok health: /healthz answers 2xx or 3xx',
      'ok drain: a request that was half sent at SIGTERM was answered (200)',
      'ok drain: a request for /slow that was being worked on at SIGTERM was answered (200)',
      'ok drain: a new connection after SIGTERM was refused',
      'ok end: it ended <time> after SIGTERM with exit code 0',
      expect.stringMatching(/^ok output: it wrote to standard output \(\d+ bytes\) and to no log file$/),
      'ok restart: it started again at once on the same port',
    ])
  })

  test('may insist on a port that the file names', async () => {
    const port = await freePort()
    const checked = await check({ ...liar('ignores-port', String(port)), port }, { json: false })
    expect(checked.code).toBe(0)
    expect(checked.said).toContain(`it listens on ${port}, as the file said`)
    expect(checked.said).toContain('web keeps the rules of the house')
  })

  test('may write to a volume, which is an empty one', async () => {
    const script = `
      const { readdirSync, writeFileSync } = require('node:fs')
      const place = process.env.VOLUME_GAME
      console.log(readdirSync(place).length)
      writeFileSync(place + '/' + process.pid, '')
      setInterval(() => {}, 1000)`
    const service = { command: [process.execPath, '-e', script], listens: false, volumes: ['game'] }
    expect((await check(service)).code).toBe(0)
  })

  test('may serve no port at all', async () => {
    const command = [process.execPath, '-e', "console.log('working'); setInterval(() => {}, 1000)"]
    const checked = await check({ command, listens: false })
    expect(checked.code).toBe(0)
    expect(findings(checked)).toEqual([
      'ok start: it was well after <time>',
      'ok end: it ended <time> after SIGTERM with signal SIGTERM',
      'ok output: it wrote to standard output (8 bytes) and to no log file',
      'ok restart: it started again at once',
    ])
  })
})

describe.concurrent('a service that does not', { timeout }, () => {
  test.each([
    [
      'exposed',
      [
        expect.stringMatching(
          /^wrong loopback: it listens on 0\.0\.0\.0:<port>, where no limit protects it$/,
        ),
      ],
    ],
    ['wavers', ['wrong health: /healthz said that it was well, and then: it answered 503']],
    ['ill', ['wrong start: it was not well within <time>: it answered 503']],
    ['exits', ['wrong start: it ended by itself with exit code 3']],
    [
      'drops',
      [
        'wrong drain: a request that was half sent at SIGTERM was dropped: the connection was closed without an answer',
      ],
    ],
    ['goes-on', ['wrong drain: a new connection after SIGTERM was answered (200)']],
    ['complains', ['wrong end: it ended after SIGTERM with exit code 4']],
    ['family', ['wrong end: it left 1 of its processes behind']],
    ['logs-to-file', ['wrong output: it wrote to service.log']],
    [
      'ignores-sigterm',
      [
        'wrong drain: a new connection after SIGTERM was answered (200)',
        'wrong end: it did not end within <time> of SIGTERM and was killed',
      ],
    ],
  ])('%s', async (lie, expected) => {
    const checked = await check(liar(lie))
    expect(checked.code).toBe(1)
    expect(only('wrong', checked)).toEqual(expected)
  })

  test('ignores PORT: what it does elsewhere is looked at nevertheless', async () => {
    const port = await freePort()
    const checked = await check(liar('ignores-port', String(port)))
    expect(checked.code).toBe(1)
    expect(only('wrong', checked)).toEqual(['wrong port: it listens on 127.0.0.1:<port>; PORT said <port>'])
    expect(findings(checked)).toContain(
      'ok drain: a request that was half sent at SIGTERM was answered (200)',
    )
  })

  test('ends with what it wrote last, and how to mend it', async () => {
    const checked = await check(liar('exits'), { json: false })
    expect(checked.code).toBe(1)
    expect(checked.said).toContain('wrong  start     it ended by itself with exit code 3\n')
    expect(checked.said).toContain('→ see what it wrote below')
    expect(checked.said).toContain('The last that it wrote:\n  no configuration found')
  })
})

describe.concurrent('what proves nothing is a hint, and no failure', { timeout }, () => {
  test('a health check that says yes to everything', async () => {
    const checked = await check(liar('yes-to-all'))
    expect(checked.code).toBe(0)
    expect(only('hint', checked)).toEqual([
      'hint health: /healthz answers 2xx or 3xx, but so does a path that it cannot know (200)',
    ])
  })

  test('no health check, no output, a slow path that is none', async () => {
    const { health: _, ...service } = liar('silent')
    const checked = await check(service, { slowPath: '/' })
    expect(checked.code).toBe(0)
    expect(only('hint', checked)).toEqual([
      'hint health: it has no health check: a TCP connection counts as well',
      'hint drain: / was answered before SIGTERM',
      'hint output: it wrote nothing to standard output',
    ])
  })

  test('data below the directory of the service', async () => {
    const checked = await check(liar('keeps-data'))
    expect(checked.code).toBe(0)
    expect(only('hint', checked)).toEqual(['hint output: it holds data.db open for writing'])
  })

  test('exposure that the file waives', async () => {
    const mayExpose = { because: 'it cannot do otherwise yet', until: '2099-01-01' }
    const checked = await check({ ...liar('exposed'), mayExpose })
    expect(checked.code).toBe(0)
    expect(only('hint', checked)).toEqual([expect.stringMatching(/^hint loopback: it listens on 0\.0\.0\.0/)])
  })
})

describe('a check', { timeout }, () => {
  test('leaves nothing behind, also when it is interrupted', async () => {
    const interrupted = new AbortController()
    const before = (await readdir(tmpdir())).filter((name) => name.startsWith('holdfast-check-'))
    const checking = check(liar('ill'), { signal: interrupted.signal })
    setTimeout(() => interrupted.abort(), 700)
    await expect(checking).rejects.toThrow('aborted')
    const after = (await readdir(tmpdir())).filter((name) => name.startsWith('holdfast-check-'))
    expect(after).toEqual(before)
  })

  test('refuses what it cannot start', async () => {
    await expect(check({ address: 'http://127.0.0.1:1' })).rejects.toMatchObject({
      code: 'environment.not-ours',
    })
    await expect(check({ command: ['no-such-program'] })).rejects.toMatchObject({
      code: 'configuration.invalid',
    })
  })
})
