import { spawnSync } from 'node:child_process'
import { chmodSync, closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { makePlace, until, type Place } from '../support/holdfast/index.ts'
import { processesWith } from '../support/holdfast/left.ts'
import { endedJob, endedOddly, journalOf, nothingIsLeft } from '../support/undertakings/index.ts'

const origin = join(import.meta.dirname, '..', 'support', 'holdfast', 'origin.mjs')

const places: Place[] = []
afterEach(async () => {
  for (const place of places.splice(0)) {
    place.run('down')
    spawnSync('umount', ['-l', place.data])
    await place.clear()
  }
})

/** A place whose data directory is a small disk of its own; null where we may not mount. */
async function onSmallDisk(size: string): Promise<Place | null> {
  const place = await makePlace()
  places.push(place)
  chmodSync(place.directory, 0o755)
  mkdirSync(place.data, { mode: 0o700 })
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', place.data]).status !== 0) return null
  writeEnvironment(place, 1)
  return place
}

function writeEnvironment(place: Place, replicas: number): void {
  const environment = {
    name: 'disk',
    services: { web: { command: [process.execPath, origin], health: '/healthz', replicas } },
    edge: { routes: { '/*': { to: 'web', limit: '1000/s' } } },
  }
  place.write('holdfast.config.ts', `export default ${JSON.stringify(environment)}\n`)
}

/** How a job ended, or why not even that could be written down. */
async function endedOrFull(place: Place, job: string): Promise<unknown> {
  return (await endedJob(place, job)).error
}

/** Takes all the room that there is, down to the last byte. */
function fill(place: Place): void {
  const file = openSync(join(place.data, 'filler'), 'a')
  for (const size of [1 << 20, 4096, 1]) {
    try {
      for (;;) writeSync(file, Buffer.alloc(size, 'x'))
    } catch {
      // no room for a piece of that size
    }
  }
  closeSync(file)
}

const statusOf = async (url: string): Promise<number> => (await fetch(url)).status

describe.skipIf(process.getuid?.() !== 0)('a full disk (needs root, to mount one)', () => {
  test(
    'the edge serves on, control says it, and all is well once there is room',
    { timeout: 120_000 },
    async (context) => {
      const here = await onSmallDisk('48m')
      if (here === null) return context.skip('this machine does not let us mount')
      await here.up()
      const client = here.client()
      const notes = async (): Promise<string> =>
        (await client.call('environment.status', {})).notes.join('\n')
      fill(here)
      let refused: unknown = null
      await until('the timeline to be full', async () => {
        fill(here)
        await client.call('access.create-sign-in-link', {}).catch((error: unknown) => (refused = error))
        return refused !== null
      })
      expect(refused).toMatchObject({ code: 'timeline.disk-full', status: 503 })
      await until('the notes', async () => /timeline\.disk-full[^]*data\.disk-full/.test(await notes()))
      expect(here.run('restart', 'web')).toMatchObject({ code: 74 })
      expect(await statusOf(here.edgeUrl)).toBe(200)

      const old = here.pidOf('edge')
      process.kill(old, 'SIGKILL')
      const pidOfReplica = async (): Promise<number> =>
        Number(await (await fetch(`${here.edgeUrl}/pid`)).text())
      let replica = 0
      await until('the edge', async () => (replica = await pidOfReplica()) > 0)
      process.kill(replica, 'SIGKILL')
      await until('edge and replica to be back on a full disk', async () => {
        const pid = await pidOfReplica()
        return pid > 0 && pid !== replica
      })

      rmSync(join(here.data, 'filler'))
      await until('the notes to end', async () => (await notes()) === '')
      await client.call('access.create-sign-in-link', {})
      expect(await client.job('timeline.verify', {})).toMatchObject({ broken: null })
      await until('what happened meanwhile', async () => {
        const { facts } = await client.call('timeline.read', { limit: 1000 })
        return facts.some(({ kind }) => kind === 'environment.replica-crashed')
      })
      expect(here.run('down').code).toBe(0)
      expect(here.run('timeline', 'verify', '--offline').code).toBe(0)
      expect(processesWith(here.directory)).toEqual([])
    },
  )

  test(
    'an apply fails with the reason, and goes through once there is room',
    { timeout: 180_000 },
    async (context) => {
      const here = await onSmallDisk('48m')
      if (here === null) return context.skip('this machine does not let us mount')
      await here.up()
      const journal = journalOf(here)
      writeEnvironment(here, 2)
      const { hash } = await here.client().call('environment.plan', {})
      fill(here)
      const asked = await here
        .client()
        .request('environment.apply', { plan: hash })
        .then(({ id }) => endedOrFull(here, id))
        .catch((error: unknown) => error)
      expect(asked).toMatchObject({ code: expect.stringMatching(/disk-full/) as string })
      expect(await statusOf(here.edgeUrl)).toBe(200)
      rmSync(join(here.data, 'filler'))
      await until('the notes to end', async () => {
        return (await here.client().call('environment.status', {})).notes.length === 0
      })
      // Whatever of it had begun goes on by itself; else it is asked for once more.
      await until('nothing to be under way', async () => {
        const { jobs } = await here.client().call('jobs.list', {})
        return jobs.every(({ endedAt }) => endedAt !== null)
      })
      const again = await here.client().call('environment.plan', {})
      expect(await here.client().job('environment.apply', { plan: again.hash })).toMatchObject({})
      await until('two replicas', async () => {
        const { services } = await here.client().call('environment.status', {})
        return services[0]?.healthy === 2
      })
      expect(endedOddly(journal)).toEqual([])
      await nothingIsLeft(here)
      journal.close()
    },
  )

  test('at the start it is said, and nothing is left running', { timeout: 60_000 }, async (context) => {
    const here = await onSmallDisk('20m')
    if (here === null) return context.skip('this machine does not let us mount')
    const up = await here.up()
    expect(await up.ended).toBe(74)
    expect(up.said()).toContain('code: data.disk-full')
    expect(processesWith(here.directory)).toEqual([])
  })
})
