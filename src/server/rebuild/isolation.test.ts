import { expect, test } from 'vitest'
import { behindWalls } from './isolation.ts'

const walls = {
  directory: '/srv/a,b:c',
  dataDirectory: '/data',
  place: '/data/sandboxes/drill',
  network: true,
}

test('without root there is a user namespace around the others', () => {
  expect(behindWalls(walls, 0, ['true'])).not.toContain('--user')
  expect(behindWalls(walls, 1000, ['true'])).toEqual(
    expect.arrayContaining(['--user', '--keep-caps', '--net']),
  )
  expect(behindWalls(walls, 1000, ['a', 'b']).slice(-2)).toEqual(['a', 'b'])
})

test('what is reached over the network of the machine stays in it, behind all other walls', () => {
  const open = behindWalls({ ...walls, network: false }, 0, ['true'])
  expect(open).not.toContain('--net')
  expect(open).toEqual(expect.arrayContaining(['HOLDFAST_NETWORK=false', '--mount', '--pid', '--ipc']))
})

test('paths that would part the options of a mount do not', () => {
  const layers = behindWalls(walls, 0, []).find((each) => each.startsWith('HOLDFAST_LAYERS='))
  expect(layers).toContain(String.raw`lowerdir=/srv/a\,b\:c,upperdir=`)
})
