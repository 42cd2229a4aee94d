import { expect, test } from 'vitest'
import { scriptInImage } from '../../../../test/support/docker/engine.ts'
import { handedFilesOf } from './handed-files.ts'
import { serviceSpecOf } from './service-spec.ts'

const group = { service: 'web', hash: 'abcdef0123456789', specification: null, replicas: 2, leaving: [] }
const ground = { environment: 'arcade', owner: 'h1', image: 'web:1', files: [], node: null }

test('a service is handed files by names that follow from what is in them, at paths that do not', () => {
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const handing = (config: string) =>
    scriptInImage('', {
      files: {
        APP_CONFIG: { content: base64(config), secret: false },
        APP_KEY: { content: base64('k1'), secret: true },
      },
    })
  const [config, key] = handedFilesOf('arcade', handing('one'))
  expect(config).toMatchObject({ kind: 'config', path: '/run/configs/APP_CONFIG' })
  expect(config?.dockerName).toMatch(/^arcade_APP_CONFIG_[0-9a-f]{16}$/)
  const [other, same] = handedFilesOf('arcade', handing('two'))
  expect(other?.dockerName).not.toBe(config?.dockerName)
  expect(same).toEqual(key)
  const long = handedFilesOf(
    'e'.repeat(39),
    scriptInImage('', { files: { ['F'.repeat(60)]: { content: 'eA==', secret: true } } }),
  )
  expect(long[0]?.dockerName).toMatch(/^e{39}_F+_[0-9a-f]{16}$/)
  expect(long[0]?.dockerName).toHaveLength(64)
  const files = [
    { kind: 'config', name: 'APP_CONFIG', dockerName: 'a_c', path: '/run/configs/APP_CONFIG', id: 'c1' },
    { kind: 'secret', name: 'APP_KEY', dockerName: 'a_k', path: '/run/secrets/APP_KEY', id: 's1' },
  ] as const
  const { ContainerSpec } = serviceSpecOf(group, handing('one'), { ...ground, files }).TaskTemplate
  const target = (Name: string) => ({ Name, UID: '0', GID: '0', Mode: 0o444 })
  expect(ContainerSpec).toMatchObject({
    Env: [
      'APP_CONFIG_FILE=/run/configs/APP_CONFIG',
      'APP_KEY_FILE=/run/secrets/APP_KEY',
      'HOST=0.0.0.0',
      'PORT=3000',
    ],
    Configs: [{ ConfigID: 'c1', ConfigName: 'a_c', File: target('/run/configs/APP_CONFIG') }],
    Secrets: [{ SecretID: 's1', SecretName: 'a_k', File: target('/run/secrets/APP_KEY') }],
  })
  expect(JSON.stringify(ContainerSpec)).not.toContain(base64('k1'))
})
