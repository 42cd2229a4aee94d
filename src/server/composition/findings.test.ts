import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findDoubts, findTroubles } from './findings.ts'
import { findFile, loadEnvironment, parseEnvironment, type LoadedEnvironment } from './load.ts'
import type { Problem } from './problems.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-findings-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const edge = { routes: { '/*': { to: 'web', limit: '1/s' } } }
const web = { command: ['node', 'web.ts'] }

function loaded(change: object): LoadedEnvironment {
  const data = { name: 'arcade', services: { web }, edge, ...change }
  const file = join(directory, 'holdfast.config.ts')
  return { file, directory, hash: 'ab', overrides: {}, data, environment: parseEnvironment(data) }
}

function troubles(change: object, variables: NodeJS.ProcessEnv = {}): Promise<readonly Problem[]> {
  return findTroubles(loaded(change), { PATH: dirname(process.execPath), ...variables })
}

describe('what keeps a valid environment file from running', () => {
  test('nothing', async () => {
    expect(await troubles({})).toEqual([])
  })

  test.each(['gone', './gone', '/gone/for/good'])('a program that is not there: %s', async (program) => {
    const [found, ...others] = await troubles({ services: { web: { command: [program] } } })
    expect(others).toEqual([])
    expect(found?.path).toBe('services.web.command')
    expect(found?.message).toContain(program)
    expect(found?.hint).not.toBe('')
  })

  test('a program that may not be run, until it may', async () => {
    mkdirSync(join(directory, 'bin'))
    writeFileSync(join(directory, 'bin/run'), '#!/bin/sh\n', { mode: 0o644 })
    const services = { web: { command: ['./run'], directory: 'bin' } }
    expect(await troubles({ services })).toHaveLength(1)
    chmodSync(join(directory, 'bin/run'), 0o755)
    expect(await troubles({ services })).toEqual([])
  })

  test('a program of the project is found from its services, however deep they lie', async () => {
    const services = { web: { ...web, command: ['tide-clock'], directory: 'apps/web' } }
    mkdirSync(join(directory, 'apps', 'web'), { recursive: true })
    mkdirSync(join(directory, 'node_modules', '.bin'), { recursive: true })
    expect(await troubles({ services })).toHaveLength(1)
    writeFileSync(join(directory, 'node_modules', '.bin', 'tide-clock'), '#!/bin/sh\n', { mode: 0o755 })
    expect(await troubles({ services })).toEqual([])
  })

  test('a directory that is not there', async () => {
    const [found] = await troubles({ services: { web: { ...web, directory: 'nowhere' } } })
    expect(found?.message).toContain(join(directory, 'nowhere'))
  })

  test('a variable that is to be handed on but is not set, even one with a name that every object has', async () => {
    const services = { web: { ...web, passEnv: ['TOKEN', 'SET', 'constructor'] } }
    const found = await troubles({ services }, { SET: '', OTHER: '1' })
    expect(found.map(({ path }) => path)).toEqual(['services.web.passEnv', 'services.web.passEnv'])
    expect(found[0]?.message).toContain('TOKEN')
    expect(found[0]?.hint).toContain('TOKEN=')
    expect(found[1]?.message).toContain('constructor')
  })

  test('certificates that cannot be read: missing, or a directory', async () => {
    writeFileSync(join(directory, 'key.pem'), 'a key')
    mkdirSync(join(directory, 'folder.pem'))
    const found = await troubles({
      edge: {
        ...edge,
        listen: [{ port: 8080 }, { port: 8443, tls: { certificate: 'no.pem', key: 'key.pem' } }],
      },
      control: { tls: { certificate: 'folder.pem', key: '/no/key.pem' } },
    })
    expect(found.map(({ path }) => path)).toEqual([
      'edge.listen.1.tls.certificate',
      'control.tls.certificate',
      'control.tls.key',
    ])
    expect(found[0]?.message).toContain(join(directory, 'no.pem'))
  })

  test('files of proofs that cannot be read; an address is no file', async () => {
    const identity = {
      jwt: { jwks: 'https://login.example/keys' },
      apiKeys: { file: './keys.json' },
      session: { secretFile: 'secret' },
    }
    const change = { edge: { ...edge, identity } }
    const paths = async () => (await troubles(change)).map(({ path }) => path)
    expect(await paths()).toEqual(['edge.identity.apiKeys.file', 'edge.identity.session.secretFile'])
    writeFileSync(join(directory, 'keys.json'), '{}')
    writeFileSync(join(directory, 'secret'), 's')
    expect(await paths()).toEqual([])
  })

  test('not what is merely doubtful', async () => {
    const change = { edge: { ...edge, trustProxies: ['10.0.0.1', '0.0.0.0/0'] } }
    expect(await troubles(change)).toEqual([])
    expect(await findDoubts(loaded(change))).toMatchObject([{ path: 'edge.trustProxies.1' }])
    expect(await findDoubts(loaded({}))).toEqual([])
  })

  test('nor public keys that a service may still write; what is there has to be a file', async () => {
    const change = { edge: { ...edge, identity: { jwt: { jwks: 'jwks.json' } } } }
    expect(await troubles(change)).toEqual([])
    expect(await findDoubts(loaded(change))).toMatchObject([{ path: 'edge.identity.jwt.jwks' }])
    mkdirSync(join(directory, 'jwks.json'))
    expect(await troubles(change)).toMatchObject([{ path: 'edge.identity.jwt.jwks' }])
    expect(await findDoubts(loaded(change))).toEqual([])
  })

  test('all of it at once', async () => {
    const services = { web: { command: ['gone'], passEnv: ['TOKEN'] }, api: { command: ['lost'] } }
    expect(await troubles({ services })).toHaveLength(3)
  })
})

describe('finding and loading the file', () => {
  const text = (port: number): string =>
    `export default { name: 'a', services: { web: { address: 'http://127.0.0.1:9' } },
      edge: { listen: [{ port: ${port} }], routes: { '/*': { to: 'web', limit: '1/s' } } } }`

  test('the nearest one above', async () => {
    mkdirSync(join(directory, 'a/b'), { recursive: true })
    writeFileSync(join(directory, 'holdfast.config.mts'), text(1))
    expect(await findFile(join(directory, 'a/b'))).toBe(join(directory, 'holdfast.config.mts'))
    writeFileSync(join(directory, 'a/holdfast.config.ts'), text(1))
    expect(await findFile(join(directory, 'a/b'))).toBe(join(directory, 'a/holdfast.config.ts'))
  })

  test('the hash is that of the data, not of how it is written', async () => {
    const file = join(directory, 'holdfast.config.ts')
    const hashOf = async (source: string): Promise<string> => {
      writeFileSync(file, source)
      return (await loadEnvironment(file)).hash
    }
    const first = await hashOf(text(8080))
    expect(await hashOf(`// a remark\n${text(8080)}`)).toBe(first)
    expect(await hashOf(text(8081))).not.toBe(first)
  })

  test('a file that is not there', async () => {
    await expect(loadEnvironment(join(directory, 'no.ts'))).rejects.toMatchObject({
      code: 'configuration.missing',
    })
  })

  test('the data stays as written, the ports are moved', async () => {
    const file = join(directory, 'holdfast.config.ts')
    writeFileSync(file, text(8080))
    const { data, environment } = await loadEnvironment(file, { edgePort: 9000 })
    expect(data).toMatchObject({ edge: { listen: [{ port: 8080 }] } })
    expect(environment.edge.listen[0]?.port).toBe(9000)
  })
})
