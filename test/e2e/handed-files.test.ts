import { chmodSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { until } from '../support/holdfast/index.ts'
import { placesOfTests } from '../support/holdfast/places.ts'

const place = placesOfTests()

/** Answers with what it was handed. */
const program = `
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
const texts = ['APP_CONFIG_FILE', 'APP_KEY_FILE'].map((name) => readFileSync(process.env[name], 'utf8'))
createServer((_, response) => response.end(texts.join(' '))).listen(process.env.PORT, process.env.HOST)
`
const job = 'process.exitCode = process.env.APP_KEY_FILE && process.env.APP_CONFIG_FILE ? 0 : 1'

const config = {
  name: 'handed',
  services: {
    web: {
      command: ['node', 'web.mjs'],
      replicas: 2,
      files: { APP_CONFIG: './app.txt', APP_KEY: { variable: 'HANDED_KEY' } },
      deploy: { canary: { for: '0s' }, drain: '100ms' },
    },
  },
  jobs: { look: { service: 'web', command: ['node', 'look.mjs'] } },
  edge: { routes: { '/*': { to: 'web', limit: '100000/s' } } },
}

test('a service is handed files; another content is a plan, a rollout, and nowhere to be read', async () => {
  const here = await place()
  chmodSync(here.directory, 0o755)
  here.write('web.mjs', program)
  here.write('look.mjs', job)
  here.write('app.txt', 'first-config')
  here.write('holdfast.config.ts', `export default ${JSON.stringify(config)}\n`)
  const path = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`
  const up = await here.up([], { PATH: path, HANDED_KEY: 'the-secret-key' })
  const answer = async (): Promise<string> => (await fetch(here.edgeUrl)).text()
  expect(await answer()).toBe('first-config the-secret-key')

  here.write('app.txt', 'second-config')
  const shown = here.run('environment', 'plan', '--json')
  const plan = JSON.parse(shown.out) as { hash: string; steps: { object: string; verb: string }[] }
  expect(plan.steps).toMatchObject([{ object: 'service web', verb: 'replace' }])
  const drift = here.run('environment', 'drift')
  const applied = here.run('environment', 'apply', plan.hash)
  expect(applied.code).toBe(0)
  await until('the other content', async () => (await answer()) === 'second-config the-secret-key')
  const ran = here.run('run', 'look')
  expect(ran.code).toBe(0)
  expect(here.run('logs', 'web').code).toBe(0)
  const said = [shown, drift, applied, ran, here.run('status', '--json'), here.run('timeline', '--json')]
  const all = `${up.said()}${said.map(({ out, err }) => out + err).join('')}`
  for (const content of ['first-config', 'second-config', 'the-secret-key']) {
    expect(all).not.toContain(content)
    expect(all).not.toContain(Buffer.from(content).toString('base64'))
  }
}, 120_000)
