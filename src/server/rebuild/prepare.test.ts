import { expect, test } from 'vitest'
import { seededRandom } from '../../kernel/std/index.ts'
import { parseEnvironment } from '../composition/index.ts'
import { readFileOf, type Ground } from './prepare.ts'

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

test('the file that was accepted is taken as it is; one that runs containers is refused', async () => {
  const local = groundOf({ name: 'shop', services: { web: { command: ['node', 'web.js'] } } })
  expect(await readFileOf(local, wish)).toBe(local.loaded)
  const swarm = groundOf({
    name: 'shop',
    engine: { swarm: 'unix:///var/run/docker.sock' },
    services: { web: { image: 'shop/web:1' } },
  })
  await expect(readFileOf(swarm, wish)).rejects.toMatchObject({
    code: 'environment.rebuild-refused',
    path: 'engine',
  })
})
