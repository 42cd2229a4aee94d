import { readFileSync, statSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { until, type Place } from '../support/holdfast/index.ts'
import { placesOfTests } from '../support/holdfast/places.ts'

const origin = join(import.meta.dirname, '..', 'support', 'holdfast', 'origin.mjs')

const newPlace = placesOfTests()

async function runningPlace(): Promise<Place> {
  const here = await newPlace()
  const environment = {
    name: 'kill',
    services: { web: { command: [process.execPath, origin], health: '/healthz', replicas: 2 } },
    edge: {
      routes: {
        '/*': { to: 'web', limit: '100000/s burst 100000' },
        '/budget': { to: 'web', limit: '3/hour per ip' },
      },
    },
  }
  here.write('holdfast.config.ts', `export default ${JSON.stringify(environment)}\n`)
  await here.up()
  return here
}

/** Friendly traffic: `width` clients, each one request after the other on a connection of its own. */
function traffic(url: string, width: number) {
  const counts = { good: 0, bad: 0, longestGapMs: 0 }
  const ending = new AbortController()
  let lastGood = performance.now()
  const ask = (agent: Agent): Promise<boolean> =>
    new Promise((done) => {
      const outgoing = request(url, { agent, timeout: 10_000 }, (response) => {
        response.resume()
        response.on('end', () => done(response.statusCode === 200))
        response.on('error', () => done(false))
      })
      outgoing.on('timeout', () => outgoing.destroy())
      outgoing.on('error', () => done(false))
      outgoing.end()
    })
  const client = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    while (!ending.signal.aborted) {
      if (await ask(agent)) {
        const now = performance.now()
        counts.longestGapMs = Math.max(counts.longestGapMs, now - lastGood)
        lastGood = now
        counts.good++
      } else counts.bad++
      await new Promise((next) => setTimeout(next, 5))
    }
    agent.destroy()
  }
  const clients = Array.from({ length: width }, client)
  return {
    counts,
    stop: async () => {
      ending.abort()
      await Promise.all(clients)
      return counts
    },
  }
}

const width = 8

async function settle(load: ReturnType<typeof traffic>, more = 200): Promise<void> {
  const before = load.counts.good
  await until('traffic to go on', () => load.counts.good >= before + more)
}

const environmentOf = (pid: number): readonly string[] =>
  readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')

test.runIf(process.platform === 'linux')(
  'the edge alone is told to use huge pages',
  { timeout: 90_000 },
  async () => {
    const here = await runningPlace()
    const replica = Number(await (await fetch(`${here.edgeUrl}/pid`)).text())
    const told = (pid: number): boolean =>
      environmentOf(pid).some((each) => /^GLIBC_TUNABLES=.*glibc\.malloc\.hugetlb=1/.test(each))
    expect(environmentOf(replica).some((each) => each.startsWith('PORT='))).toBe(true)
    expect(told(here.pidOf('edge'))).toBe(true)
    for (const pid of [replica, here.pidOf('control'), here.pidOf('supervisor')])
      expect(told(pid)).toBe(false)
  },
)

test(
  'control killed under load: no request is lost, and it comes back by itself',
  { timeout: 90_000 },
  async () => {
    const here = await runningPlace()
    const load = traffic(here.edgeUrl, width)
    await settle(load)
    const before = await here.client().call('timeline.read', { limit: 1000 })
    const old = here.pidOf('control')
    process.kill(old, 'SIGKILL')
    await settle(load)
    await until('a new control', async () => {
      const { state } = await here.client().call('environment.status', {})
      return here.pidOf('control') !== old && state === 'healthy'
    })
    const counts = await load.stop()
    expect(counts.bad).toBe(0)
    const after = await here.client().call('timeline.read', { limit: 1000 })
    const hashes = new Set(after.facts.map(({ hash }) => hash))
    expect(before.facts.every(({ hash }) => hashes.has(hash))).toBe(true)
    expect(after.facts.some(({ kind }) => kind === 'environment.process-crashed')).toBe(true)
    const verified = await here.client().job('timeline.verify', {})
    expect(verified).toMatchObject({ broken: null })
  },
)

/** Until the edge has written its table down twice: the second time it knows all that was taken by now. */
async function untilKept(here: Place): Promise<void> {
  const path = join(here.data, 'edge', 'limits.table')
  const writtenMs = (): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
  for (let times = 0; times < 2; times++) {
    const before = writtenMs()
    await until('the limits to be kept', () => writtenMs() !== before)
  }
}

test(
  'the edge killed under load: only what it had in its hands is lost, it is back within a second, and knows who used a budget up',
  { timeout: 90_000 },
  async () => {
    const here = await runningPlace()
    const load = traffic(here.edgeUrl, width)
    await settle(load)
    const spend = async (): Promise<number> => (await fetch(`${here.edgeUrl}/budget`)).status
    expect([await spend(), await spend(), await spend(), await spend()]).toEqual([200, 200, 200, 429])
    await untilKept(here)
    const old = here.pidOf('edge')
    process.kill(old, 'SIGKILL')
    await settle(load)
    expect(here.pidOf('edge')).not.toBe(old)
    expect(await spend()).toBe(429)
    const counts = await load.stop()
    expect(counts.bad).toBeLessThanOrEqual(width)
    // A second for the edge, and what two busy cores add.
    expect(counts.longestGapMs).toBeLessThan(3000)
  },
)

test(
  'the edge serves on while control is dead and a replica crashes and returns',
  { timeout: 90_000 },
  async () => {
    const here = await runningPlace()
    const load = traffic(here.edgeUrl, width)
    await settle(load)
    process.kill(here.pidOf('control'), 'SIGKILL')
    const replica = Number(await (await fetch(`${here.edgeUrl}/pid`)).text())
    process.kill(replica, 'SIGKILL')
    await settle(load, 400)
    await until('two replicas again', async () => {
      const { services } = await here.client().call('environment.status', {})
      return services[0]?.healthy === 2
    })
    const { facts } = await here.client().call('timeline.read', { limit: 1000 })
    expect(facts.filter(({ kind }) => kind === 'environment.replica-crashed')).toHaveLength(1)
    const counts = await load.stop()
    expect(counts.bad).toBeLessThanOrEqual(width)
  },
)

test(
  'the supervisor killed: services and edge run on, and the next up adopts them',
  { timeout: 90_000 },
  async () => {
    const here = await runningPlace()
    const before = (await here.client().call('environment.status', {})).services[0]?.replicas.map(
      ({ pid }) => pid,
    )
    process.kill(here.pidOf('supervisor'), 'SIGKILL')
    await until('the supervisor to be gone', () => here.run('down').code !== 0)
    expect((await fetch(here.edgeUrl)).status).toBe(200)
    await here.up()
    const status = await here.client().call('environment.status', {})
    expect(status.services[0]?.replicas.map(({ pid }) => pid)).toEqual(before)
    expect(status.state).toBe('healthy')
    expect((await fetch(here.edgeUrl)).status).toBe(200)
  },
)
