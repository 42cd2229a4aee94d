import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Client } from '../../src/client/index.ts'
import { seededRandom, systemClock } from '../../src/kernel/std/index.ts'
import { mustRun, until, type Place, type Up } from '../support/holdfast/index.ts'
import { placesOfTests } from '../support/holdfast/places.ts'
import { processesWith } from '../support/holdfast/left.ts'

const origin = join(import.meta.dirname, '..', 'support', 'holdfast', 'origin.mjs')
const seed = Number(process.env['HOLDFAST_SEED'] ?? 20_261_123)
const chaosMs = Number(process.env['HOLDFAST_CHAOS_MS'] ?? 20_000)

const newPlace = placesOfTests()

const victims = ['control', 'control', 'edge', 'edge', 'replica', 'replica', 'supervisor', 'up'] as const
type Victim = (typeof victims)[number]

function kill(here: Place, victim: Victim, up: Up): void {
  try {
    if (victim === 'up') up.process.kill('SIGKILL')
    else if (victim !== 'replica') process.kill(here.pidOf(victim), 'SIGKILL')
    else {
      const text = readFileSync(join(here.data, 'supervisor', 'replicas.json'), 'utf8')
      const { replicas } = JSON.parse(text) as { replicas: { pid: number }[] }
      for (const { pid } of replicas.slice(0, 1)) process.kill(pid, 'SIGKILL')
    }
  } catch {
    // It is dead already, or not yet born.
  }
}

const isOver = ({ process: { exitCode, signalCode } }: Up): boolean =>
  exitCode !== null || signalCode !== null

/** Asks for tokens, one after the other, and keeps the names of those that were acknowledged. */
function recordNames(client: Client, signal: AbortSignal) {
  const names: string[] = []
  const work = async (): Promise<void> => {
    for (let number = 0; !signal.aborted; number++) {
      const name = `chaos-${number}`
      await client.call('access.create-token', { name, role: 'view' }).then(
        () => names.push(name),
        () => undefined,
      )
      await systemClock.sleep(100)
    }
  }
  return { names, done: work() }
}

async function healthy(here: Place): Promise<void> {
  await until(
    'all to be well again',
    async () => {
      const status = await here.client().call('environment.status', {})
      return status.state === 'healthy' && (await fetch(here.edgeUrl)).status === 200
    },
    45_000,
  )
}

test(
  `whatever is killed, in any order, comes back, and nothing acknowledged is lost (seed ${seed})`,
  { timeout: 180_000 },
  async () => {
    const random = seededRandom(seed)
    const here = await newPlace()
    const environment = {
      name: 'chaos',
      services: { web: { command: [process.execPath, origin], health: '/healthz', replicas: 2 } },
      edge: { routes: { '/*': { to: 'web', limit: '100000/s' } } },
    }
    here.write('holdfast.config.ts', `export default ${JSON.stringify(environment)}\n`)
    let up = await here.up()
    const ending = new AbortController()
    const recorded = recordNames(here.client(), ending.signal)
    const deadline = systemClock.monotonicMs() + chaosMs
    while (systemClock.monotonicMs() < deadline) {
      const victim = victims[Math.floor(random.next() * victims.length)] ?? 'control'
      kill(here, victim, up)
      await systemClock.sleep(random.next() * 1200)
      // Whoever watches over the house starts it again.
      if (victim === 'supervisor') up = await here.up()
    }
    ending.abort()
    await recorded.done
    if (here.run('status').code !== 0) up = await here.up()
    await healthy(here)
    const client = here.client()
    expect(await client.job('timeline.verify', {})).toMatchObject({ broken: null })
    const { tokens } = await client.call('access.list-tokens', {})
    const kept = new Set(tokens.map(({ name }) => name))
    expect(recorded.names.filter((name) => !kept.has(name))).toEqual([])
    expect(recorded.names.length).toBeGreaterThan(0)
    expect(here.run('down').code).toBe(0)
    if (!isOver(up)) await up.ended
    expect(processesWith(here.directory)).toEqual([])
    expect(here.run('timeline', 'verify', '--offline').code).toBe(0)
  },
)

test(
  'control killed between accepting a new file and its end, and the supervisor during a restart',
  { timeout: 120_000 },
  async () => {
    const here = await newPlace()
    const config = (limit: string): string =>
      `export default ${JSON.stringify({
        name: 'chaos',
        services: { web: { command: [process.execPath, origin], health: '/healthz' } },
        edge: { routes: { '/*': { to: 'web', limit } } },
      })}\n`
    here.write('holdfast.config.ts', config('100000/s'))
    await here.up()
    const accepted = (): string => readFileSync(join(here.data, 'environment.json'), 'utf8')
    const before = accepted()
    here.write('holdfast.config.ts', config('99999/s'))
    const reloading = here
      .client()
      .call('environment.reload', {})
      .catch(() => undefined)
    await until('the new file to be accepted', () => accepted() !== before)
    process.kill(here.pidOf('control'), 'SIGKILL')
    await reloading
    await until('the new limit', async () =>
      JSON.stringify(await here.client().call('edge.limits', {})).includes('99999/s'),
    )

    const restarting = here
      .client()
      .job('environment.restart', { service: 'web' })
      .catch(() => undefined)
    await until('the restart to be under way', async () => {
      const { facts } = await here.client().call('timeline.read', { kind: 'jobs.begun' })
      return facts.length > 0
    })
    process.kill(here.pidOf('supervisor'), 'SIGKILL')
    const up = await here.up()
    mustRun(up)
    await restarting
    await healthy(here)
    expect(here.run('down').code).toBe(0)
    expect(processesWith(here.directory)).toEqual([])
  },
)
