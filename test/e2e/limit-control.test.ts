import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createLimits, type Limits, type LimitSettings } from 'holdfast-limit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makePlace, mustRun, until, type Place } from '../support/holdfast/index.ts'

const config = `import { defineEnvironment } from 'holdfast'
export default defineEnvironment({
  name: 'shop',
  services: { web: { command: ['node', 'web.mjs'] } },
  edge: { routes: { 'GET /users/:id': { to: 'web', limit: '60/min per ip' }, '/*': { to: 'web', limit: '240/min per ip' } } },
  limits: {
    'email.send': '20/hour per user',
    'export.run': '2 at once per user',
    'chat.message': '2000/hour per user',
    'exact.take': '50/hour',
  },
})
`
const web = `import { createServer } from 'node:http'
createServer((_, response) => response.end('ok')).listen(Number(process.env.PORT), process.env.HOST)
`

let here: Place
let token = ''
const opened: Limits[] = []

function open<const Settings extends LimitSettings>(settings: Settings) {
  const lines: string[] = []
  const limits = createLimits(settings, {
    control: { url: `http://127.0.0.1:${here.controlPort}`, token, timeoutMs: 10_000 },
    processes: 2,
    log: { warn: (text) => void lines.push(text) },
  })
  opened.push(limits)
  return { limits, lines }
}

beforeAll(async () => {
  here = await makePlace()
  here.write('holdfast.config.ts', config)
  here.write('web.mjs', web)
  mustRun(await here.up())
  const created = await here.client().call('access.create-token', { name: 'shop', role: 'use' })
  token = created.token
}, 120_000)

afterAll(async () => {
  for (const limits of opened.splice(0)) await limits.close()
  await here.clear()
})

const count = (verdicts: readonly { readonly admitted: boolean }[]): number =>
  verdicts.filter((each) => each.admitted).length

describe('holdfast-limit and a control that is real', () => {
  test('two processes take together what the limit gives, not one unit more', async () => {
    const settings = { 'exact.take': '50/hour' }
    const [first, second] = [open(settings), open(settings)]
    const takes = ({ limits }: typeof first) =>
      Promise.all(Array.from({ length: 40 }, () => limits.take('exact.take', {})))
    const verdicts = (await Promise.all([takes(first), takes(second)])).flat()
    expect(count(verdicts)).toBe(50)
    const refused = verdicts.find((verdict) => !verdict.admitted)
    expect(refused).toMatchObject({ limit: 'exact.take', rule: '50/hour', remaining: 0 })
    expect(refused?.because).not.toBe('')
    expect([...first.lines, ...second.lines]).toEqual([])
  })

  test('leases give a busy subject no more than the limit, and come back', async () => {
    const { limits } = open({ 'chat.message': '2000/hour per user' })
    let admitted = 0
    for (let round = 0; round < 60; round++) {
      admitted += count(
        await Promise.all(Array.from({ length: 40 }, () => limits.take('chat.message', { user: 1 }))),
      )
    }
    await limits.close()
    expect(admitted).toBeGreaterThan(1500)
    expect(admitted).toBeLessThanOrEqual(2010)
    const { verdicts } = await here
      .client()
      .call('limits.peek', { takes: [{ limit: 'chat.message', by: { user: '1' }, cost: 1 }] })
    expect(2000 - (verdicts[0]?.remaining ?? 0)).toBeLessThanOrEqual(admitted)
    expect(2000 - (verdicts[0]?.remaining ?? 0)).toBeGreaterThanOrEqual(admitted - 20)
  })

  test('reservations and refunds are counted in control', async () => {
    const [first, second] = [
      open({ 'export.run': '2 at once per user' }),
      open({ 'export.run': '2 at once per user' }),
    ]
    const by = { user: 'r' }
    const held = await first.limits.reserve('export.run', by)
    await first.limits.reserve('export.run', by)
    expect((await second.limits.reserve('export.run', by)).admitted).toBe(false)
    await second.limits.resume(held.id).commit()
    expect((await second.limits.reserve('export.run', by)).admitted).toBe(true)
    const mail = open({ 'email.send': '20/hour per user' }).limits
    expect((await mail.take('email.send', by, { cost: 20 })).admitted).toBe(true)
    expect((await mail.take('email.send', by)).admitted).toBe(false)
    await mail.refund('email.send', by, { cost: 5 })
    expect((await mail.take('email.send', by, { cost: 5 })).admitted).toBe(true)
  })

  test('takes together are one step: what the second refuses, the first does not lose', async () => {
    const { limits, lines } = open({ 'email.send': '20/hour per user', 'chat.message': '2000/hour per user' })
    const by = { user: 't' }
    const both = (mails: number) =>
      limits.takeAll([
        { limit: 'chat.message', by, cost: 100 },
        { limit: 'email.send', by, cost: mails },
      ])
    expect(await both(15)).toMatchObject({ admitted: true, limit: 'email.send', remaining: 5 })
    expect(await both(6)).toMatchObject({ admitted: false, limit: 'email.send', rule: '20/hour per user' })
    const peeked = await here.client().call('limits.peek', {
      takes: [{ limit: 'chat.message', by, cost: 1 }],
    })
    expect(peeked.verdicts[0]?.remaining).toBeGreaterThanOrEqual(1900)
    expect(peeked.verdicts[0]?.remaining).toBeLessThan(1910)
    expect(lines).toEqual([])
  })

  test('check --openapi lists what only a catch-all covers', () => {
    const paths = { '/users/{id}': { get: {} }, '/login': { post: {} } }
    writeFileSync(join(here.directory, 'openapi.json'), JSON.stringify({ openapi: '3.1.0', paths }))
    const found = here.run('check', '--openapi', 'openapi.json', '--json')
    expect(found.code).toBe(1)
    expect(JSON.parse(found.out)).toMatchObject({ ok: false, uncovered: ['POST /login'] })
    writeFileSync(
      join(here.directory, 'openapi.json'),
      JSON.stringify({ openapi: '3.1.0', paths: { '/users/{id}': { get: {} } } }),
    )
    expect(here.run('check', '--openapi', 'openapi.json')).toMatchObject({ code: 0 })
    expect(here.run('check', '--openapi', 'nothing.json')).toMatchObject({ code: 66 })
  })

  test(
    'control killed: the share of this process; control back: it decides again',
    { timeout: 90_000 },
    async () => {
      const { limits, lines } = open({ 'email.send': '20/hour per user' })
      await limits.take('email.send', { user: 'k' })
      process.kill(here.pidOf('control'), 'SIGKILL')
      const away = []
      for (let take = 0; take < 30; take++) away.push(await limits.take('email.send', { user: 'k' }))
      expect(count(away)).toBeLessThan(20)
      await until(
        'control to decide again',
        async () => {
          await limits.take('email.send', { user: 'other' })
          return lines.some((line) => line.includes('control is reached again'))
        },
        60_000,
      )
      expect(lines.filter((line) => line.includes('cannot be reached')).length).toBeGreaterThan(0)
    },
  )
})
