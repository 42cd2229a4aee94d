import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../kernel/std/index.ts'
import {
  asRoot,
  closeAll,
  closeLater,
  eventually,
  op,
  openWorld,
  rootToken,
  send,
} from '../../../../test/support/control/doors.ts'
import { testHouse } from '../../../../test/support/control/house.ts'
import { findProgram } from '../../../../test/support/programs.ts'
import { createMetrics, openApiDocument, openDoors } from './index.ts'

afterEach(closeAll)

describe('readings', () => {
  test('health is public and tiny', async () => {
    const { send } = await openWorld()
    expect((await send('/healthz')).text).toBe('{"ok":true}')
  })

  test('metrics and OpenAPI are for those who may view', async () => {
    const { send } = await openWorld()
    for (const path of ['/metrics', '/openapi.json']) expect((await send(path)).status).toBe(401)
    await send('/ops/test.echo', op({}))
    await send('/ops/test.nothing-like-it', op({}))
    const { text, headers } = await send('/metrics', { headers: asRoot })
    expect(headers['content-type']).toContain('text/plain')
    expect(text).toContain('holdfast_operations_calls_total{operation="test.echo",outcome="done"} 1')
    expect(text).toContain('operation="(unknown)",outcome="operations.unknown"} 1')
    expect(text).toContain('holdfast_timeline_head_sequence')
    expect(text).toContain('holdfast_control_process_cpu_seconds_total')
  })

  test('OpenAPI covers every operation', async () => {
    const { send, house } = await openWorld()
    const { json } = await send('/openapi.json', { headers: asRoot })
    expect(json).toEqual(
      openApiDocument(house.operations, {
        version: '0.0.0-test',
        jobSchema: (json['components'] as { schemas: { Job: JsonObject } }).schemas.Job,
      }),
    )
    expect(json['openapi']).toBe('3.1.0')
    const paths = json['paths'] as Record<string, { post: JsonObject }>
    expect(Object.keys(paths).sort()).toEqual(house.operations.map(({ name }) => `/ops/${name}`).sort())
    for (const [path, { post }] of Object.entries(paths)) {
      expect(post['operationId']).toBe(path.slice('/ops/'.length))
      expect(post['summary']).toEqual(expect.any(String))
      const body = post['requestBody'] as { content: { 'application/json': { schema: JsonObject } } }
      expect(body.content['application/json'].schema['type']).toBe('object')
      const responses = post['responses'] as Record<string, JsonObject>
      expect(responses['200'] ?? responses['202']).toBeDefined()
      expect(responses['default']).toBeDefined()
    }
    expect(JSON.stringify(json)).not.toContain('"$schema"')
  })
})

describe('the console', () => {
  test('that is not built says so', async () => {
    const { send } = await openWorld()
    const { status, text } = await send('/')
    expect(status).toBe(503)
    expect(text).toContain('The console is not built')
  })

  test('is served with a strict policy, its assets for ever, and nothing beside it', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-console-'))
    closeLater(() => rm(directory, { recursive: true }))
    await mkdir(join(directory, 'console', 'assets'), { recursive: true })
    await writeFile(join(directory, 'secret.txt'), 'secret')
    await writeFile(join(directory, 'console', 'index.html'), '<!doctype html>the console')
    await writeFile(join(directory, 'console', 'assets', 'app-1.js'), 'run()')
    const here = await testHouse({ rootToken })
    const doors = await openDoors({
      house: here.house,
      metrics: createMetrics(() => []),
      version: '0',
      settings: { host: '127.0.0.1', port: 0 },
      consoleDirectory: join(directory, 'console'),
    })
    closeLater(() => doors.close())
    const page = await send(doors.url, '/timeline?kind=x', {})
    expect([page.status, page.text]).toEqual([200, '<!doctype html>the console'])
    expect(page.headers['content-security-policy']).toContain("default-src 'self'")
    expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'")
    expect(page.headers['cache-control']).toBe('no-cache')
    const tag = page.headers.etag ?? ''
    expect((await send(doors.url, '/', { headers: { 'if-none-match': tag } })).status).toBe(304)
    const asset = await send(doors.url, '/assets/app-1.js', {})
    expect(asset.headers['cache-control']).toContain('immutable')
    expect((await send(doors.url, '/assets/app-2.js', {})).status).toBe(404)
    for (const path of [
      '/../secret.txt',
      '/%2e%2e/secret.txt',
      '/..%2fsecret.txt',
      '/assets/../../secret.txt',
    ]) {
      expect((await send(doors.url, path, {})).text).not.toContain('secret')
    }
  })
})

describe('listening', () => {
  test('beyond loopback needs a certificate', async () => {
    await expect(openWorld({}, { host: '0.0.0.0' })).rejects.toMatchObject({ code: 'control.tls-required' })
  })

  test('a port in use and a missing certificate are said', async () => {
    const { doors } = await openWorld()
    const port = Number(new URL(doors.url).port)
    await expect(openWorld({}, { port })).rejects.toMatchObject({ code: 'control.port-in-use' })
    const tls = { certificate: '/nowhere/cert.pem', key: '/nowhere/key.pem' }
    await expect(openWorld({}, { host: '0.0.0.0', tls })).rejects.toMatchObject({
      code: 'control.certificate-unreadable',
      path: 'control.tls.certificate',
    })
  })

  const openssl = findProgram('openssl')
  test.skipIf(openssl === null && process.env['CI'] !== 'true')(
    'with a certificate speaks TLS, and its cookie is Secure (needs openssl)',
    async () => {
      const directory = await mkdtemp(join(tmpdir(), 'holdfast-tls-'))
      closeLater(() => rm(directory, { recursive: true }))
      const tls = { certificate: join(directory, 'cert.pem'), key: join(directory, 'key.pem') }
      const files = ['-keyout', tls.key, '-out', tls.certificate]
      const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
      const name = ['-subj', '/CN=holdfast.example']
      execFileSync(openssl ?? 'openssl', ['req', '-x509', ...kind, ...files, ...name], { stdio: 'pipe' })
      const here = await openWorld({}, { host: '0.0.0.0', tls, hosts: ['holdfast.example'] })
      expect(here.doors.url).toMatch(/^https:\/\/holdfast\.example:\d+$/)
      const url = here.doors.url.replace('holdfast.example', '127.0.0.1')
      const { url: page } = await here.house.access.createLink(
        { actor: 'root', permission: 'administer' },
        undefined,
      )
      const { status, headers } = await send(url, '/ops/access.sign-in', {
        body: JSON.stringify({ link: page.split('=')[1] }),
        headers: { 'content-type': 'application/json', origin: url },
        rejectUnauthorized: false,
      })
      expect(status).toBe(200)
      expect(headers['set-cookie']?.[0]).toMatch(/; Secure$/)
      expect(headers['strict-transport-security']).toBe('max-age=31536000')
    },
  )

  test('closing ends streams in order and lets a call finish', async () => {
    const { doors, seen } = await openWorld()
    const sent = httpRequest(`${doors.url}/ops/test.count`, { method: 'POST', headers: asRoot })
    const ended = new Promise<boolean>((resolve, reject) => {
      sent.on('error', reject)
      sent.on('response', (response) => response.on('close', () => resolve(response.complete)).resume())
    })
    sent.end(JSON.stringify({ to: 1_000_000 }))
    expect(await eventually(() => seen.includes('counted 2'))).toBe(true)
    await doors.close()
    expect(await ended).toBe(true)
    expect(await eventually(() => seen.includes('count ended'))).toBe(true)
  })
})
