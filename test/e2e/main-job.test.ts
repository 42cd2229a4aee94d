import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { until } from '../support/holdfast/index.ts'
import { placesOfTests } from '../support/holdfast/places.ts'

const origin = join(import.meta.dirname, '..', 'support', 'holdfast', 'origin.mjs')

const place = placesOfTests()

function config(change: Record<string, unknown> = {}, services: Record<string, unknown> = {}): string {
  const environment = {
    name: 'e2e',
    services: {
      web: {
        command: [process.execPath, origin],
        health: '/healthz',
        replicas: 2,
        startTimeout: '15s',
        ...services,
      },
    },
    edge: {
      routes: {
        'GET /limited': { to: 'web', limit: '3/min per ip' },
        '/*': { to: 'web', limit: '100000/s' },
      },
    },
    ...change,
  }
  return `import { defineEnvironment } from 'holdfast'\nexport default defineEnvironment(${JSON.stringify(environment)})\n`
}

async function text(url: string, init?: RequestInit): Promise<string> {
  return (await fetch(url, init)).text()
}

describe('one file around a real service', () => {
  test(
    'up, a request, a refusal, status, logs, a restart, a reload, down',
    { timeout: 120_000 },
    async () => {
      const here = await place()
      here.write('holdfast.config.ts', config())
      const up = await here.up()
      expect(up.said()).toContain('web is healthy')
      expect(await text(here.edgeUrl)).toMatch(/^hello from \d+/)
      expect(await text(here.edgeUrl, { method: 'POST', body: 'x'.repeat(2_000_000) })).toHaveLength(
        2_000_000,
      )

      const answers = []
      for (let count = 0; count < 4; count++) answers.push(await fetch(`${here.edgeUrl}/limited`))
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429])
      expect(answers[3]?.headers.get('retry-after')).toMatch(/^\d+$/)
      expect(await answers[3]?.json()).toMatchObject({ status: 429, limit: 'edge.route.GET /limited' })

      const status = here.run('status', '--json')
      expect(JSON.parse(status.out)).toMatchObject({ name: 'e2e', state: 'healthy' })
      expect(here.run('status').out).toMatch(/^environment e2e, Holdfast [\d.]+, started \d/m)
      expect(here.run('logs', 'web').out).toContain('listening')
      expect(here.run('restart', 'web')).toMatchObject({ code: 0 })
      expect(here.run('edge', 'limits').out).toContain('GET /limited')

      here.write(
        'holdfast.config.ts',
        config({ edge: { routes: { '/*': { to: 'web', limit: '2/min per ip' } } } }),
      )
      expect(here.run('reload')).toMatchObject({ code: 0 })
      await until('the new limit to bite', async () => (await fetch(`${here.edgeUrl}/other`)).status === 429)

      here.write('holdfast.config.ts', 'export default { name: 7 }')
      expect(here.run('reload').code).toBe(78)
      expect(here.run('timeline', 'verify')).toMatchObject({ code: 0 })

      here.write('export.jsonl', here.run('timeline', 'export').out)
      const copy = ['--data', join(here.directory, 'copy')]
      expect(here.run('timeline', 'import', 'export.jsonl', ...copy)).toMatchObject({ code: 0 })
      expect(here.run('timeline', 'verify', '--offline', ...copy)).toMatchObject({ code: 0 })
      expect(here.run('timeline', 'import', 'export.jsonl', ...copy).err).toContain('timeline.import-refused')
      expect(here.run('down').code).toBe(0)
      expect(await up.ended).toBe(0)
      await expect(fetch(here.edgeUrl)).rejects.toThrow()
    },
  )

  test('Ctrl-C stops everything; a second start finds its timeline again', { timeout: 120_000 }, async () => {
    const here = await place()
    here.write('holdfast.config.ts', config())
    const first = await here.up()
    const pid = Number(await text(`${here.edgeUrl}/pid`))
    first.process.kill('SIGINT')
    expect(await first.ended).toBe(0)
    expect(() => process.kill(pid, 0)).toThrow()
    await here.up()
    const { facts } = await here.client().call('timeline.read', { limit: 1000 })
    expect(facts.filter(({ kind }) => kind === 'environment.started')).toHaveLength(2)
    expect(facts.filter(({ kind }) => kind === 'environment.stopped')).toHaveLength(1)
    expect(facts[0]?.sequence).toBe(1)
  })
})

describe('bad input: one message, a non-zero exit, nothing half-started', () => {
  test('a service that never gets healthy', { timeout: 60_000 }, async () => {
    const here = await place()
    here.write(
      'holdfast.config.ts',
      config(
        {},
        {
          health: '/nowhere-that-is-2xx',
          startTimeout: '2s',
          command: [process.execPath, '-e', 'setInterval(() => {}, 1000)'],
        },
      ),
    )
    const up = await here.up()
    expect(await up.ended).toBe(69)
    expect(up.said()).toContain('services.web')
    expect(here.run('down').code).not.toBe(0)
  })

  test('a service that crashes at once shows its last lines', { timeout: 60_000 }, async () => {
    const here = await place()
    here.write(
      'holdfast.config.ts',
      config({}, { command: [process.execPath, '-e', 'console.log("no database"); process.exit(4)'] }),
    )
    const up = await here.up()
    expect(await up.ended).toBe(69)
    expect(up.said()).toContain('no database')
  })

  test('a missing program, a port in use, a second instance', { timeout: 60_000 }, async () => {
    const here = await place()
    here.write('holdfast.config.ts', config({}, { command: ['no-such-program'] }))
    const missing = await here.up()
    expect(await missing.ended).toBe(78)
    expect(missing.said()).toContain('services.web.command')

    here.write('holdfast.config.ts', config())
    await here.up()
    const second = await here.up()
    expect(await second.ended).toBe(73)
    expect(second.said()).toContain('already runs')

    const there = await place()
    there.write('holdfast.config.ts', config())
    const taken = await there.up(['--edge-port', String(here.edgePort)])
    expect(await taken.ended).toBe(73)
    expect(taken.said()).toContain('edge.listen.0.port')
  })
})
