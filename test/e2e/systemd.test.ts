import { chmodSync, existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { describeWith } from '../support/describe-with.ts'
import { makePlace, until, type Place, type Ran } from '../support/holdfast/index.ts'
import { processesWith } from '../support/holdfast/left.ts'
import { makeMachine, mayBoot, type Machine } from '../support/systemd/index.ts'

const main = resolve(import.meta.dirname, '../../src/cli/main.ts')
const origin = join(import.meta.dirname, '..', 'support', 'holdfast', 'origin.mjs')
const unit = 'holdfast-booted.service'
const isPermitted = mayBoot()
const timeout = 240_000

const machines: Machine[] = []
const places: Place[] = []
afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.remove()
  for (const place of places.splice(0)) await place.clear()
})

async function placeHere(): Promise<Place> {
  const here = await makePlace()
  places.push(here)
  chmodSync(here.directory, 0o755)
  const environment = {
    name: 'booted',
    services: { web: { command: [process.execPath, origin], health: '/healthz', replicas: 2 } },
    edge: { listen: [{ port: here.edgePort }], routes: { '/*': { to: 'web', limit: '1000/s' } } },
    control: { port: here.controlPort },
  }
  here.write('holdfast.config.ts', `export default ${JSON.stringify(environment)}\n`)
  return here
}

describeWith(['systemd', 'nsenter', 'ip'], 'a machine that systemd runs', ({ systemd }) => {
  const title = 'starts the environment, keeps it, starts it again with itself, and is rid of it'
  test.skipIf(!isPermitted)(`${title} (needs root and namespaces)`, { timeout }, async () => {
    const here = await placeHere()
    const machine = makeMachine(systemd)
    machines.push(machine)
    const holdfast = (...words: string[]): Ran =>
      machine.run(here.directory, [process.execPath, main, ...words])
    const systemctl = (...words: string[]): string => machine.run('/', ['systemctl', ...words]).out.trim()
    const pids = (): readonly number[] => {
      const said = holdfast('status', '--json')
      if (said.code !== 0) return []
      const { services } = JSON.parse(said.out) as {
        services: { replicas: { pid: number | null; healthy: boolean | null }[] }[]
      }
      return services.flatMap(({ replicas }) =>
        replicas.flatMap(({ pid, healthy }) => (pid !== null && healthy === true ? [pid] : [])),
      )
    }
    const serves = (): boolean => machine.run('/', ['curl', '-sf', here.edgeUrl]).out.startsWith('hello from')
    const isWell = (): boolean => serves() && pids().length === 2
    await machine.boot()
    const before = { files: readdirSync(here.directory), units: readdirSync(machine.units) }

    expect(holdfast('install')).toMatchObject({
      code: 0,
      out: expect.stringContaining('It was started') as string,
    })
    expect(systemctl('is-enabled', unit)).toBe('enabled')
    await until('it to be well', isWell, 60_000)
    expect(JSON.parse(holdfast('doctor', '--json').out)).toMatchObject({
      checks: expect.arrayContaining([
        expect.objectContaining({ about: 'systemd', state: 'ok' }) as object,
      ]) as object,
    })

    const first = pids()
    systemctl('kill', '--kill-who=main', '--signal=SIGKILL', unit)
    await until('another up', () => systemctl('show', '-p', 'NRestarts', unit) === 'NRestarts=1', 60_000)
    await until('it to be active again', () => systemctl('is-active', unit) === 'active', 60_000)
    await until('it to be well', isWell, 60_000)
    expect(pids()).toEqual(first)

    await machine.cutPower()
    expect(processesWith(here.directory)).toEqual([])
    await machine.boot()
    await until('it to be well after the power was cut', isWell, 90_000)

    systemctl('stop', unit)
    expect(processesWith(here.data)).toEqual([])
    systemctl('start', unit)
    await until('it to be well once more', isWell, 60_000)

    expect(holdfast('uninstall', '--purge', '--yes-destroy', 'booted')).toMatchObject({ code: 0 })
    expect(systemctl('list-units', '--all', '--plain', '--no-legend', 'holdfast-*')).toBe('')
    expect(processesWith(here.data)).toEqual([])
    expect(existsSync(here.data)).toBe(false)
    expect(readdirSync(here.directory)).toEqual(before.files)
    expect(readdirSync(machine.units)).toEqual(before.units)
  })
})
