import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { mustRun, until, type Place, type Up } from '../support/holdfast/index.ts'
import { placesOfTests } from '../support/holdfast/places.ts'
import { processesWith } from '../support/holdfast/left.ts'

const origin = join(import.meta.dirname, '..', 'support', 'holdfast', 'origin.mjs')

const newPlace = placesOfTests()

async function place(): Promise<Place> {
  const made = await newPlace()
  const environment = {
    name: 'races',
    services: { web: { command: [process.execPath, origin], health: '/healthz', startTimeout: '20s' } },
    edge: { routes: { '/*': { to: 'web', limit: '1000/s' } } },
  }
  made.write('holdfast.config.ts', `export default ${JSON.stringify(environment)}\n`)
  return made
}

const hasEnded = ({ process: { exitCode, signalCode } }: Up): boolean =>
  exitCode !== null || signalCode !== null

/** Waits until a started `up` has come so far that its supervisor runs. */
async function supervised(here: Place): Promise<void> {
  await until('the supervisor', async () => {
    await Promise.resolve()
    process.kill(here.pidOf('supervisor'), 0)
    return true
  })
}

describe('two at once', () => {
  test('of two ups one wins, and the other changes nothing', { timeout: 60_000 }, async () => {
    const here = await place()
    const ups = await Promise.all([here.up(), here.up(['--edge-port', '1'])])
    const [loser] = ups.filter(hasEnded)
    if (loser === undefined) throw new Error('both run')
    expect(ups.filter(hasEnded)).toHaveLength(1)
    expect(await loser.ended).toBe(73)
    // Port 1 may be the winner's; either way the accepted file is the winner's too.
    const accepted = readFileSync(join(here.data, 'environment.json'), 'utf8')
    expect(accepted.includes('"edgePort":1}') || accepted.includes('"edgePort":1,')).toBe(loser === ups[0])
    expect(here.run('status').code).toBe(0)
    expect(here.run('down').code).toBe(0)
    await Promise.all(ups.map(({ ended }) => ended))
    expect(processesWith(here.directory)).toEqual([])
  })

  test('down in the middle of a start ends the start', { timeout: 60_000 }, async () => {
    const here = await place()
    const starting = here.up()
    await supervised(here)
    expect(here.run('down').code).toBe(0)
    const up = await starting
    expect(await up.ended).toBe(0)
    expect(up.said()).toContain('Holdfast was stopped.')
    expect(processesWith(here.directory)).toEqual([])
  })

  test('Ctrl-C twice stops everything in order', { timeout: 60_000 }, async () => {
    const here = await place()
    const up = await here.up()
    up.process.kill('SIGINT')
    await until('the first', () => up.said().includes('stopping everything'))
    up.process.kill('SIGINT')
    expect(await up.ended).toBe(0)
    expect(up.said()).toContain('everything was stopped')
    expect(processesWith(here.directory)).toEqual([])
  })

  test(
    'the supervisor killed in the middle of a start is said at once, and the next start takes over',
    { timeout: 60_000 },
    async () => {
      const here = await place()
      const starting = here.up()
      await supervised(here)
      process.kill(here.pidOf('supervisor'), 'SIGKILL')
      const up = await starting
      expect(await up.ended).toBe(69)
      expect(up.said()).toMatch(/code: supervisor\.(died|unreachable)/)
      const again = await here.up()
      mustRun(again)
      expect((await fetch(here.edgeUrl)).status).toBe(200)
    },
  )
})

describe('a data directory that cannot be', () => {
  test('a file in its place', { timeout: 30_000 }, async () => {
    const here = await place()
    writeFileSync(here.data, 'a file')
    const up = await here.up()
    expect(await up.ended).toBe(74)
    expect(up.said()).toContain('code: data.unwritable')
  })

  test.skipIf(process.getuid?.() !== 0)(
    'one that belongs to somebody else is taken by root, as a disk may',
    { timeout: 60_000 },
    async () => {
      const here = await place()
      mkdirSync(here.data)
      chownSync(here.data, 12_345, 12_345)
      const up = await here.up()
      mustRun(up)
      expect(here.run('down').code).toBe(0)
    },
  )
})
