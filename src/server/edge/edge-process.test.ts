import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { request as requestHttps } from 'node:https'
import { connect, createServer as createNetServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isCompiled } from '../../../test/support/compiled.ts'
import { edge } from '../../capabilities/edge/index.ts'
import type { DataPlane } from '../../capabilities/edge/ports.ts'
import type { EdgePolicy } from '../../contracts/edge-policy.ts'
import { edgeProcess } from '../../providers/edge-process/index.ts'
import { requestOverSocket } from '../../providers/unix-http/index.ts'

const main = fileURLToPath(new URL('./main.ts', import.meta.url))
const descriptors = [3, 4, 5, 6, 7, 8]

/** Holds the listening socket and starts edges on it, as the supervisor does; nothing accepts in it. */
const holderScript = `
import { spawn } from 'node:child_process'
process.on('message', ({ script, variables }) => {
  const stdio = ['ignore', 'ignore', 'inherit', ...${JSON.stringify(descriptors)}.map(() => 3)]
  const child = spawn(process.execPath, [script], { stdio, env: { ...process.env, ...variables } })
  process.send({ started: child.pid })
  child.once('exit', (code) => process.send({ ended: child.pid, code }))
})
process.on('disconnect', () => process.exit())
`

let directory: string
let origin: Server
let policy: EdgePolicy
let port: number
let holder: ChildProcess
let edgePid = 0
let ended: { readonly pid: number; readonly code: number | null }[] = []

function compile(routes: object): EdgePolicy {
  const section = edge.config.parse({ listen: [{ port }], routes })
  const { port: originPort } = origin.address() as AddressInfo
  const targets = [{ id: 'web/1', origin: `http://127.0.0.1:${originPort}` }]
  return edge.compile(section, {
    environment: 'test',
    upstreams: [{ name: 'web', targets, healthPath: null }],
  })
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'edge-process-'))
  origin = createServer((request, response) => {
    if (request.url === '/slow') setTimeout(() => response.end('slow'), 600)
    else response.end(`pong ${request.url}`)
  })
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve))
  const opener = createNetServer()
  await new Promise<void>((resolve) => opener.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, resolve))
  port = (opener.address() as AddressInfo).port
  const { fd } = (opener as unknown as { readonly _handle: { readonly fd: number } })._handle
  const script = join(directory, 'holder.mjs')
  writeFileSync(script, holderScript)
  holder = spawn(process.execPath, [script], { stdio: ['ignore', 'ignore', 'inherit', fd, 'ipc'] })
  opener.close()
  ended = []
  holder.on('message', (message: { started?: number; ended?: number; code?: number | null }) => {
    edgePid = message.started ?? edgePid
    if (message.ended !== undefined) ended.push({ pid: message.ended, code: message.code ?? null })
  })
  policy = compile({ '/*': { to: 'web', limit: '100000/s per ip' } })
})

afterEach(async () => {
  if (edgePid > 0 && !ended.some(({ pid }) => pid === edgePid)) process.kill(edgePid, 'SIGKILL')
  holder.kill('SIGKILL')
  origin.close()
  origin.closeAllConnections()
  rmSync(directory, { recursive: true, force: true })
})

function start(): void {
  const variables = {
    HOLDFAST_DATA: directory,
    NODE_COMPILE_CACHE: join(directory, 'compiled'),
    HOLDFAST_LISTENERS: JSON.stringify([{ host: '127.0.0.1', port, descriptors }]),
    HOLDFAST_EDGE_THREADS: '2',
  }
  holder.send({ script: main, variables })
}

async function ready(): Promise<DataPlane> {
  const client = edgeProcess({ dataDirectory: directory, request: requestOverSocket })
  for (let tries = 0; tries < 400; tries++) {
    const state = await client.state().catch(() => null)
    if (state !== null) return client
    await delay(50)
  }
  throw new Error('the edge did not start')
}

/** One request on a connection of its own: its status line, or empty when it broke off. */
function ask(path = '/'): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    let text = ''
    socket.setTimeout(20_000, () => socket.destroy())
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(text.split('\r\n')[0] ?? ''))
    socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
  })
}

test('takes a policy over its socket, keeps it on disk, and refuses a bad one', async () => {
  start()
  const client = await ready()
  expect((await client.state()).revision).toBeNull()
  expect((await client.apply(policy)).revision).toBe(policy.revision)
  const onDisk = JSON.parse(readFileSync(join(directory, 'edge', 'policy.json'), 'utf8')) as EdgePolicy
  expect(onDisk.revision).toBe(policy.revision)
  const bad = { ...policy, limits: [{ name: 'edge.unmatched', rule: 'nonsense' }] }
  await expect(client.apply(bad)).rejects.toMatchObject({ code: 'limit.unreadable' })
  const odd = { ...policy, routes: 'none' as never }
  await expect(client.apply(odd)).rejects.toMatchObject({ code: 'edge.policy-refused' })
  expect((await client.state()).revision).toBe(policy.revision)
  expect(await ask()).toBe('HTTP/1.1 200 OK')
})

test('connections that come before the edge is there are queued and served from the policy on disk', async () => {
  mkdirSync(join(directory, 'edge'))
  writeFileSync(join(directory, 'edge', 'policy.json'), JSON.stringify(policy))
  const early = [ask('/1'), ask('/2'), ask('/3')]
  await delay(200)
  start()
  expect(await Promise.all(early)).toEqual(Array(3).fill('HTTP/1.1 200 OK'))
})

test('killing it loses the requests under way and no other; those who come meanwhile are served', async () => {
  start()
  const client = await ready()
  await client.apply(policy)
  const first = edgePid
  const underWay = [ask('/slow'), ask('/slow')]
  await delay(300)
  process.kill(first, 'SIGKILL')
  for (let tries = 0; ended.length === 0 && tries < 200; tries++) await delay(10)
  const meanwhile = Array.from({ length: 30 }, (_, index) => ask(`/${index}`))
  start()
  expect(await Promise.all(underWay)).toEqual(['', ''])
  expect(await Promise.all(meanwhile)).toEqual(Array(30).fill('HTTP/1.1 200 OK'))
  expect(edgePid).not.toBe(first)
})

const tablePath = (): string => join(directory, 'edge', 'limits.table')

/** Kills the edge when the table has been written twice since now: the second time it holds all that was taken by now. */
async function killWhenKept(): Promise<void> {
  const writtenMs = (): number => statSync(tablePath(), { throwIfNoEntry: false })?.mtimeMs ?? 0
  for (let times = 0; times < 2; times++) {
    const before = writtenMs()
    for (let tries = 0; writtenMs() === before && tries < 1000; tries++) await delay(20)
    expect(writtenMs()).toBeGreaterThan(before)
  }
  process.kill(edgePid, 'SIGKILL')
  for (let tries = 0; ended.length === 0 && tries < 500; tries++) await delay(10)
  expect(ended).toHaveLength(1)
}

test('killed under load, it knows who used a budget up; places of connections that went with it are free', async () => {
  start()
  const client = await ready()
  await client.apply(
    compile({
      '/budget': { to: 'web', limit: '3/hour per ip' },
      '/slow': { to: 'web', limit: '1 at once per ip' },
      '/*': { to: 'web', limit: '100000/s per ip' },
    }),
  )
  const spent = [await ask('/budget'), await ask('/budget'), await ask('/budget'), await ask('/budget')]
  expect(spent.map((line) => line.slice(9, 12))).toEqual(['200', '200', '200', '429'])
  const over = new AbortController()
  const load = Array.from({ length: 4 }, async () => {
    while (!over.signal.aborted) await ask('/load').then(() => delay(2))
  })
  const slow = (async () => {
    while (!over.signal.aborted && (await ask('/slow')) !== '');
  })()
  await killWhenKept()
  expect(statSync(tablePath()).mode & 0o777).toBe(0o600)
  over.abort()
  start()
  expect(await ask('/budget')).toBe('HTTP/1.1 429 Too Many Requests')
  await Promise.all([...load, slow])
  expect(await ask('/slow')).toBe('HTTP/1.1 200 OK')
}, 60_000)

test('told to end, it keeps what was taken last; a table that is cut or rubbish is passed over', async () => {
  start()
  const client = await ready()
  await client.apply(compile({ '/*': { to: 'web', limit: '1/hour per ip' } }))
  expect(await ask()).toBe('HTTP/1.1 200 OK')
  const askNext = async (between: () => void): Promise<string> => {
    const before = ended.length
    process.kill(edgePid, 'SIGTERM')
    for (let tries = 0; ended.length === before && tries < 500; tries++) await delay(20)
    between()
    start()
    return ask()
  }
  const path = tablePath()
  expect(await askNext(() => undefined)).toBe('HTTP/1.1 429 Too Many Requests')
  const spoilers = [
    () => truncateSync(path, statSync(path).size - 68),
    () => writeFileSync(path, 'SSLH'.repeat(99)),
    () => (rmSync(path), mkdirSync(path)),
  ]
  for (const spoil of spoilers) expect(await askNext(spoil)).toBe('HTTP/1.1 200 OK')
}, 60_000)

test('its compiled code is kept for the next start although it is killed: that of its threads too', async () => {
  start()
  const client = await ready()
  await client.apply(policy)
  for (const words of ['const restartDeadlineMs', 'const tunnelGraceMs']) {
    const isKept = (): boolean => isCompiled(join(directory, 'compiled'), words)
    for (let tries = 0; tries < 400 && !isKept(); tries++) await delay(50)
    expect(isKept()).toBe(true)
  }
  expect(ended).toEqual([])
})

test('told to end, it finishes what is under way and leaves the rest to the next', async () => {
  start()
  const client = await ready()
  await client.apply(policy)
  const underWay = ask('/slow')
  await delay(300)
  process.kill(edgePid, 'SIGTERM')
  await delay(150)
  const meanwhile = [ask('/a'), ask('/b')]
  expect(await underWay).toBe('HTTP/1.1 200 OK')
  for (let tries = 0; ended.length === 0 && tries < 200; tries++) await delay(20)
  expect(ended[0]?.code).toBe(0)
  start()
  expect(await Promise.all(meanwhile)).toEqual(Array(2).fill('HTTP/1.1 200 OK'))
})

test('a policy on disk that is damaged is said and waited over', async () => {
  mkdirSync(join(directory, 'edge'))
  writeFileSync(join(directory, 'edge', 'policy.json'), '{"revision":')
  start()
  const client = await ready()
  expect((await client.state()).revision).toBeNull()
  await client.apply(policy)
  expect(await ask()).toBe('HTTP/1.1 200 OK')
})

const openssl = spawnSync('openssl', ['version']).status === 0

test.skipIf(!openssl)(
  'a listener that is to speak TLS: it ends in good order, the next one does (needs openssl)',
  async () => {
    start()
    const client = await ready()
    await client.apply(policy)
    const tls = { certificate: join(directory, 'chain.pem'), key: join(directory, 'key.pem') }
    const parameters = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    spawnSync('openssl', [...parameters, '-subj', '/CN=a', '-keyout', tls.key, '-out', tls.certificate])
    const secure = {
      ...policy,
      revision: 'secure',
      listeners: policy.listeners.map((each) => ({ ...each, tls })),
    }
    const missing = {
      ...secure,
      listeners: policy.listeners.map((each) => ({ ...each, tls: { ...tls, key: '/no' } })),
    }
    await expect(client.apply(missing)).rejects.toMatchObject({ code: 'edge.certificate-invalid' })
    expect(await ask()).toBe('HTTP/1.1 200 OK')
    await client.apply(secure)
    for (let tries = 0; ended.length === 0 && tries < 200; tries++) await delay(20)
    expect(ended[0]?.code).toBe(0)
    start()
    expect((await (await ready()).state()).revision).toBe('secure')
    const answer = await new Promise<number>((resolve, reject) => {
      const options = { rejectUnauthorized: false, agent: false as const }
      const outgoing = requestHttps(`https://127.0.0.1:${port}/`, options, (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      })
      outgoing.on('error', reject)
      outgoing.end()
    })
    expect(answer).toBe(200)
  },
)
