import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { startTestbed } from './testbed.test-support.ts'

const closing: (() => Promise<unknown> | void)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

interface Replica {
  readonly id: string
  readonly origin: string
  readonly group: string
  readonly child: ChildProcess
}

const script = new URL('../../../../test/support/origins/leaving.mjs', import.meta.url).pathname

async function startReplica(id: string, group: string): Promise<Replica> {
  const env = { ...process.env, NAME: id }
  const child = spawn(process.execPath, [script], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  closing.push(() => void child.kill('SIGKILL'))
  const [origin] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return { id, origin, group, child }
}

interface Sent {
  readonly method: string
  readonly takesMs: number
  readonly body: string
}

/** Resolves to the name of the replica that answered as it should, or what went wrong. */
function send(url: string, agent: Agent, { method, takesMs, body }: Sent): Promise<string> {
  return new Promise((resolve) => {
    const failed = (error: Error): void => resolve(`failed: ${error.message}`)
    const headers = { 'x-takes': String(takesMs) }
    const outgoing = request(`${url}/`, { method, agent, headers }, (answer) => {
      let text = ''
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()))
      answer.once('error', failed)
      answer.once('end', () => {
        const isRight = answer.statusCode === 200 && text === String(body.length)
        resolve(isRight ? String(answer.headers['x-name']) : `failed: ${answer.statusCode} ${text}`)
      })
    })
    outgoing.once('error', failed)
    outgoing.end(body)
  })
}

/** Clients that send one request after the other on connections that are kept; says what came of each. */
function startLoad(url: string, clients: number): () => Promise<readonly string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const outcomes: string[] = []
  const over = new AbortController()
  const run = async (client: number): Promise<void> => {
    for (let count = client; !over.signal.aborted; count++) {
      const method = count % 3 === 0 ? 'GET' : 'POST'
      const takesMs = [0, 0, 3, 0, 20, 0, 0, 400][count % 8] ?? 0
      const body = method === 'GET' ? '' : 'x'.repeat(count % 2 === 0 ? 10 : 100_000)
      outcomes.push(await send(url, agent, { method, takesMs, body }))
      if (count % 5 === 0) await delay(count % 7)
    }
  }
  const runs = Array.from({ length: clients }, (_, client) => run(client))
  return async () => {
    over.abort()
    await Promise.all(runs)
    agent.destroy()
    return outcomes
  }
}

const section = { routes: { '/*': { to: 'web', limit: '1000000/s per ip' } } }

test('a replica goes and not one request fails, nor a WebSocket before it ends', async () => {
  const [one, two] = [await startReplica('web/1', 'old'), await startReplica('web/2', 'new')]
  const bed = await startTestbed({ section, origins: { web: [one, two] }, threads: 2 })
  closing.push(() => bed.stop())
  const sockets = Array.from({ length: 8 }, () => new WebSocket(`ws://127.0.0.1:${bed.port}/`))
  closing.push(() => sockets.forEach((socket) => socket.terminate()))
  await Promise.all(sockets.map((socket) => once(socket, 'open')))
  const endLoad = startLoad(bed.url, 24)
  await delay(1000)
  await bed.apply({ origins: { web: [two] } })
  await delay(1500)
  const left = once(one.child, 'exit')
  one.child.kill('SIGTERM')
  await delay(500)
  expect(one.child.exitCode).toBeNull()
  const names = await Promise.all(
    sockets.map(async (socket) => {
      const heard = once(socket, 'message')
      socket.send('still there')
      const [data] = (await heard) as [Buffer]
      return data.toString()
    }),
  )
  expect(new Set(names)).toEqual(new Set(['web/1', 'web/2']))
  for (const socket of sockets) socket.close()
  await left
  await delay(500)
  const outcomes = await endLoad()
  expect(outcomes.filter((outcome) => outcome.startsWith('failed'))).toEqual([])
  expect(outcomes.filter((outcome) => outcome === 'web/1').length).toBeGreaterThan(50)
  expect(outcomes.length).toBeGreaterThan(500)
}, 20_000)

test('nor when all are replaced in one step and go at once', async () => {
  const old = [await startReplica('web/1', 'old'), await startReplica('web/2', 'old')]
  const fresh = [await startReplica('web/3', 'new'), await startReplica('web/4', 'new')]
  const bed = await startTestbed({ section, origins: { web: old }, threads: 2 })
  closing.push(() => bed.stop())
  const endLoad = startLoad(bed.url, 24)
  await delay(500)
  await bed.apply({ origins: { web: fresh } })
  const left = old.map(({ child }) => once(child, 'exit'))
  for (const { child } of old) child.kill('SIGTERM')
  await Promise.all(left)
  await delay(500)
  const outcomes = await endLoad()
  expect(outcomes.filter((outcome) => outcome.startsWith('failed'))).toEqual([])
  expect(new Set(outcomes)).toEqual(new Set(['web/1', 'web/2', 'web/3', 'web/4']))
}, 20_000)
