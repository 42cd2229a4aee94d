import { Agent, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { virtualClock, type JsonObject } from '../../../kernel/std/index.ts'
import {
  asRoot,
  closeAll,
  eventually,
  op,
  openWorld,
  rootToken,
} from '../../../../test/support/control/doors.ts'
import { heartbeatMs, itemLines } from './item-lines.ts'

afterEach(closeAll)

describe('operations over HTTP', () => {
  test('a value is JSON', async () => {
    const { send } = await openWorld()
    const { status, headers, json } = await send('/ops/test.echo', op({ text: 'hi' }))
    expect([status, json]).toEqual([200, { text: 'hi' }])
    expect(headers['cache-control']).toBe('no-store')
    expect(headers['access-control-allow-origin']).toBeUndefined()
  })

  test('an error is a problem with its status', async () => {
    const { send } = await openWorld()
    const unknown = await send('/ops/test.ehco', op({}))
    expect(unknown.status).toBe(404)
    expect(unknown.headers['content-type']).toContain('application/problem+json')
    expect(unknown.json).toEqual({
      type: 'urn:holdfast:error:operations.unknown',
      title: 'Not Found',
      status: 404,
      code: 'operations.unknown',
      kind: 'user',
      detail: 'there is no operation "test.ehco"',
      hint: 'did you mean "test.echo"?',
    })
    const invalid = await send('/ops/test.echo', op({ text: 7 }))
    expect([invalid.status, invalid.json['path']]).toEqual([400, 'text'])
    expect((await send('/elsewhere', op({}))).json['code']).toBe('control.unknown-path')
  })

  test('a body that is no JSON, no object, too large or of another type is refused', async () => {
    const { send } = await openWorld()
    const post = (body: string, type = 'application/json') =>
      send('/ops/test.echo', { body, headers: { ...asRoot, 'content-type': type } })
    expect((await post('{"text":')).json).toMatchObject({ status: 400, code: 'operations.invalid-input' })
    expect((await post('[]')).json).toMatchObject({ status: 400 })
    expect((await post('{"__proto__":{"text":"x"}}')).status).toBe(400)
    expect((await post(`{"text":"${'x'.repeat(1_100_000)}"}`)).json).toMatchObject({
      status: 413,
      code: 'control.body-too-large',
    })
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      expect((await post('{}', type)).json).toMatchObject({ status: 415 })
    }
  })

  test('nobody is 401, a wrong token too, a low role 403', async () => {
    const { send, house } = await openWorld()
    const view = await house.access.createToken(
      { actor: 'root', permission: 'administer' },
      { name: 'ci', role: 'view' },
    )
    const json = { 'content-type': 'application/json' }
    const none = await send('/ops/test.echo', { body: '{}', headers: json })
    expect([none.status, none.headers['www-authenticate']]).toEqual([401, 'Bearer realm="holdfast"'])
    for (const authorization of ['Bearer wrong', 'Basic cm9vdDo=', 'Bearer', rootToken]) {
      const wrong = await send('/ops/test.echo', { body: '{}', headers: { ...json, authorization } })
      expect(wrong.status).toBe(401)
    }
    const low = { ...json, authorization: `Bearer ${view}` }
    expect((await send('/ops/test.echo', { body: '{}', headers: low })).status).toBe(200)
    const denied = await send('/ops/test.change', { body: '{"what":"it"}', headers: low })
    expect(denied.json).toMatchObject({ status: 403, code: 'access.denied' })
  })

  test('a limit answers 429 with Retry-After', async () => {
    const { send } = await openWorld({ clock: virtualClock() })
    for (let number = 0; number < 5; number++) {
      expect((await send('/ops/test.change', op({ what: 'it' }))).status).toBe(200)
    }
    const refused = await send('/ops/test.change', op({ what: 'it' }))
    expect(refused.json).toMatchObject({ status: 429, code: 'limit.refused' })
    expect(refused.json['detail']).toContain('5/min per caller')
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1)
  })

  test('a flood of strangers is refused at the door, while those who are signed in get in', async () => {
    const { send } = await openWorld({ clock: virtualClock() })
    const agent = new Agent({ keepAlive: true, maxSockets: 4 })
    const statuses: number[] = []
    for (let number = 0; number < 310; number++) statuses.push((await send('/healthz', { agent })).status)
    agent.destroy()
    expect(statuses.filter((status) => status === 200)).toHaveLength(300)
    expect(statuses.at(-1)).toBe(429)
    expect(
      (await send('/ops/test.echo', { body: '{}', headers: { authorization: 'Bearer wrong' } })).status,
    ).toBe(429)
    expect((await send('/ops/test.echo', op({}))).status).toBe(200)
  })

  test('a job is accepted with 202, and the key gives the same one', async () => {
    const { send, house } = await openWorld()
    const one = await send('/ops/test.work', op({ what: 'it' }, { 'idempotency-key': 'k-1' }))
    const two = await send('/ops/test.work', op({ what: 'it' }, { 'idempotency-key': 'k-1' }))
    expect([one.status, two.status]).toEqual([202, 202])
    expect(two.json['id']).toBe(one.json['id'])
    await house.jobs.ended(String(one.json['id']), new AbortController().signal)
    const conflict = await send('/ops/test.work', op({ what: 'other' }, { 'idempotency-key': 'k-1' }))
    expect(conflict.json).toMatchObject({ status: 409, code: 'jobs.idempotency-conflict' })
    const odd = await send('/ops/test.work', op({ what: 'it' }, { 'idempotency-key': 'x'.repeat(201) }))
    expect(odd.json).toMatchObject({ status: 400, path: 'Idempotency-Key' })
  })
})

describe('streams', () => {
  test('are a line an item', async () => {
    const { send } = await openWorld()
    const { status, headers, text } = await send('/ops/test.count', op({ to: 3 }))
    expect([status, headers['content-type']]).toEqual([200, 'application/x-ndjson'])
    const items = text.trim().split('\n')
    expect(items.map((line) => (JSON.parse(line) as { number: number }).number)).toEqual([1, 2, 3])
  })

  test('that fail at once have the status of the error, later a line that says so', async () => {
    const { send } = await openWorld()
    expect((await send('/ops/test.count', op({ to: 3, failAt: 1 }))).status).toBe(500)
    const { status, text } = await send('/ops/test.count', op({ to: 30, failAt: 20 }))
    expect(status).toBe(200)
    const last = JSON.parse(text.trim().split('\n').at(-1) ?? '') as { $error: JsonObject }
    expect(last.$error).toMatchObject({ code: 'kernel.unexpected', detail: 'cannot count further' })
  })

  test('end their source when the client goes', async () => {
    const { doors, seen } = await openWorld()
    const sent = httpRequest(`${doors.url}/ops/test.count`, { method: 'POST', headers: asRoot })
    sent.on('error', () => undefined)
    sent.end(JSON.stringify({ to: 1_000_000 }))
    expect(await eventually(() => seen.includes('counted 3'))).toBe(true)
    sent.destroy()
    expect(await eventually(() => seen.includes('count aborted') && seen.includes('count ended'))).toBe(true)
  })

  test('wait for a reader that does not read', async () => {
    const { doors, seen } = await openWorld()
    const { port } = new URL(doors.url)
    const body = JSON.stringify({ to: 100_000, padding: 10_000 })
    const socket = connect(Number(port), '127.0.0.1')
    socket.pause()
    socket.on('error', () => undefined)
    socket.write(
      `POST /ops/test.count HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n` +
        `authorization: Bearer ${rootToken}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    )
    expect(await eventually(() => seen.length > 10)).toBe(true)
    let before = -1
    while (before !== seen.length) {
      before = seen.length
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    // Kernel buffers of both ends, and ours; far from the 1 GB that was asked for.
    expect(seen.length * 10_000).toBeLessThan(50_000_000)
    socket.destroy()
    expect(await eventually(() => seen.includes('count ended'))).toBe(true)
  })

  test('beat when they are silent', async () => {
    const clock = virtualClock()
    let release = (): void => undefined
    async function* silent(): AsyncGenerator<unknown> {
      await new Promise<void>((resolve) => (release = resolve))
      yield { number: 1 }
    }
    const iterator = silent()
    const lines = itemLines(
      { iterator, first: iterator.next() },
      { clock, failed: () => undefined, closing: new AbortController().signal },
    )
    for (let beat = 0; beat < 2; beat++) {
      const line = lines.next()
      await clock.advance(heartbeatMs)
      expect(await line).toEqual({ done: false, value: '\n' })
    }
    const item = lines.next()
    release()
    expect(await item).toEqual({ done: false, value: '{"number":1}\n' })
    expect(await lines.next()).toMatchObject({ done: true })
  })
})
