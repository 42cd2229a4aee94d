import { describe, expect, test } from 'vitest'
import {
  databaseWorld,
  fakeNode,
  fakeServer,
  someDatabases,
} from '../../../../test/support/environment/databases.ts'
import { findUnfitDatabases } from '../findings/index.ts'
import { databasesConfig } from './config.ts'
import { findDatabaseTroubles } from './troubles.ts'

describe('databases in containers', () => {
  const inImage = (image: string, more: object = {}) =>
    databasesConfig.parse({ main: { engine: 'postgres', image, ...more } })
  const prepared = async (control: Awaited<ReturnType<typeof databaseWorld>>['control'], image: string) => {
    const room = control(inImage(image))
    await room.prepare()
    return room
  }

  test('run from the image as it was when it was first named, on a volume and a port of the node', async () => {
    const { node, host } = fakeNode()
    const { control } = await databaseWorld(host)
    const [wish] = (await prepared(control, 'server:15')).wished()
    expect(wish?.specification).toMatchObject({
      image: 'sha256:server 15.3',
      mounts: { 'database.main': '/volumes/database.main' },
      port: { fixed: 12_000 },
      published: 12_000,
      variables: { SECRET: 'x' },
    })
    expect(wish?.specification.user).toBe(undefined)
    node.images['server:15'] = 'server 15.9'
    node.home = null
    const again = await prepared(control, 'server:15')
    expect(again.wished()).toEqual([wish])
    expect(again.urlOf({ database: 'main' })).toMatch(/@10\.0\.0\.1:12000\/main$/)
    node.home = { daemon: 'one', host: '10.0.0.2' }
    expect((await prepared(control, 'server:15')).addressOf('main')).toBe('10.0.0.2:12000')
  })

  test('another image of the same major version takes its place, one of another does not', async () => {
    const { node, host } = fakeNode()
    const { control } = await databaseWorld(host)
    const [before] = (await prepared(control, 'server:15')).wished()
    const [after] = (await prepared(control, 'server:15b')).wished()
    expect(after?.specification).toEqual({ ...before?.specification, image: 'sha256:server 15.4' })
    node.images['server:16'] = 'server 16.0'
    for (const image of ['server:16', 'server:17']) {
      const room = await prepared(control, image)
      expect(room.wished()).toEqual([after])
      expect(room.notes()).toEqual([expect.stringContaining(`goes on with server:15b: ${image} could not`)])
    }
  })

  test('are not started on the node of another daemon, which does not have their files', async () => {
    const { node, host } = fakeNode()
    const { control } = await databaseWorld(host)
    await prepared(control, 'server:15')
    node.home = { daemon: 'two', host: '10.0.0.9' }
    const room = await prepared(control, 'server:15')
    expect(room.wished()).toEqual([])
    expect(room.notes()).toEqual([expect.stringContaining('another Docker daemon')])
  })

  test('are well when they are reached from outside, too', async () => {
    const { host } = fakeNode()
    const { control, state } = await databaseWorld(host)
    const room = await prepared(control, 'server:15')
    expect(await room.probe('main', 10)).toEqual({ healthy: false, detail: 'refuses connections' })
    Object.assign(state, { reached: { healthy: true, detail: '' } })
    expect(await room.probe('main', 10)).toEqual({ healthy: true, detail: '' })
  })

  test('what cannot run is found before it does', async () => {
    const { node, host } = fakeNode()
    const { control, store } = await databaseWorld(host)
    const { provider } = fakeServer()
    const providers = { postgres: provider, mariadb: provider, redis: provider }
    const troubles = async (image: string, more: object = {}) => {
      const found = await findDatabaseTroubles(inImage(image, more), {
        providers,
        store,
        host,
        hostVariables: {},
      })
      return found.map(({ message }) => message)
    }
    Object.assign(node.images, { 'server:16': 'server 16.0', tiny: 'not found' })
    expect(await troubles('server:15')).toEqual([])
    expect(await troubles('server:14')).toEqual(['the image server:14 is not on the node'])
    expect(await troubles('tiny')).toEqual(['the image tiny has no postgres in it (not found)'])
    expect(await troubles('server:16', { version: '15' })).toEqual([
      'the image server:16 is postgres 16, and the file says 15',
    ])
    await expect(prepared(control, 'server:14')).rejects.toMatchObject({
      code: 'environment.database-image-unusable',
    })
    node.home = { daemon: 'one', host: '127.0.0.1' }
    expect(await troubles('server:15')).toEqual([expect.stringContaining('advertises 127.0.0.1')])
    node.home = { daemon: 'one', host: '10.0.0.1' }
    await prepared(control, 'server:15')
    expect(await troubles('server:16')).toEqual([
      'the image server:16 is postgres 16, and the data of "main" are of 15',
    ])
    delete node.images['server:15']
    expect(await troubles('server:15')).toEqual([])
  })

  test('data do not move between a directory and a volume by themselves', async () => {
    const { host } = fakeNode()
    const onSwarm = await databaseWorld(host)
    await prepared(onSwarm.control, 'server:15')
    const here = await databaseWorld()
    await here.control().prepare()
    const { provider } = fakeServer()
    const providers = { postgres: provider, mariadb: provider, redis: provider }
    const moved = { providers, hostVariables: {}, store: here.store, host }
    const back = { ...moved, store: onSwarm.store, host: null }
    expect(await findDatabaseTroubles(inImage('server:15'), moved)).toMatchObject([
      { message: expect.stringMatching(/are in a directory of this machine.* on a volume/) as unknown },
    ])
    expect(
      await findDatabaseTroubles(databasesConfig.parse({ main: { engine: 'postgres' } }), back),
    ).toMatchObject([
      { message: expect.stringMatching(/are on a volume of Docker.* in a directory/) as unknown },
    ])
  })

  test('need an image, which the local engine has no use for', () => {
    const paths = (section: typeof someDatabases, containers: boolean) =>
      findUnfitDatabases(section, { containers }).map(({ path }) => path)
    expect(paths(someDatabases, false)).toEqual([])
    expect(paths(someDatabases, true)).toEqual([
      'databases.main.image',
      'databases.cache.image',
      'databases.local',
    ])
    expect(paths(inImage('server:15'), true)).toEqual([])
    expect(paths(inImage('server:15'), false)).toEqual(['databases.main.image'])
  })
})
