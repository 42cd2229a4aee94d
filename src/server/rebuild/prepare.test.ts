import { expect, test } from 'vitest'
import { seededRandom } from '../../kernel/std/index.ts'
import { parseEnvironment } from '../composition/index.ts'
import { readFileOf, swarmOf, type Ground } from './prepare.ts'

function groundOf(data: object): Ground {
  const loaded = {
    file: '/srv/f.ts',
    directory: '/srv',
    hash: '',
    overrides: {},
    data,
    environment: parseEnvironment(data),
  }
  return { loaded, dataDirectory: '/data', releases: {}, variables: {}, random: seededRandom(1) }
}

const wish = { into: 'drill', keepMs: null }

test('the file that was accepted is taken as it is', async () => {
  const local = groundOf({ name: 'shop', services: { web: { command: ['node', 'web.js'] } } })
  expect(await readFileOf(local, wish)).toBe(local.loaded)
})

test('where containers are made is what the file says', () => {
  const services = { web: { command: ['node', 'web.js'], image: 'shop/web:1' } }
  const engine = { swarm: 'unix:///var/run/docker.sock' }
  expect(swarmOf(groundOf({ name: 'shop', services }).loaded)).toBe(null)
  expect(swarmOf(groundOf({ name: 'shop', services, engine }).loaded)).toBe(engine.swarm)
})
