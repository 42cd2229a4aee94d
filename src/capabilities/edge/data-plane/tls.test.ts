import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as requestHttps } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connect, type PeerCertificate } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  echo,
  freePort,
  openRaw,
  sendRaw,
  startOrigin,
  startTestbed,
  type Testbed,
  type TestOrigin,
} from './testbed.test-support.ts'

const openssl = spawnSync('openssl', ['version']).status === 0

describe.skipIf(!openssl)('TLS from files (needs openssl)', () => {
  const directory = mkdtempSync(join(tmpdir(), 'edge-tls-'))
  const files = { certificate: join(directory, 'chain.pem'), key: join(directory, 'key.pem') }
  let origin: TestOrigin
  let bed: Testbed
  let plainPort: number

  function issue(name: string): void {
    const request = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '30',
    ]
    execFileSync(
      'openssl',
      [...request, '-subj', `/CN=${name}`, '-keyout', files.key, '-out', files.certificate],
      {
        stdio: 'ignore',
      },
    )
  }

  beforeAll(async () => {
    issue('first.example')
    origin = await startOrigin(echo)
    plainPort = await freePort()
    bed = await startTestbed({
      section: {
        listen: [{ tls: files } as never, { port: plainPort, redirectTo: 8443 }],
        routes: { '/*': { to: 'web', limit: '100000/s per ip' } },
      },
      origins: { web: [origin.url] },
    })
  })

  afterAll(async () => {
    await bed.stop()
    await origin.close()
    rmSync(directory, { recursive: true, force: true })
  })

  const get = (agentless = false): Promise<{ status: number; body: string; name: string }> =>
    new Promise((resolve, reject) => {
      const options = { rejectUnauthorized: false, ...(agentless ? { agent: false as const } : {}) }
      const outgoing = requestHttps(`https://127.0.0.1:${bed.port}/x`, options, (response) => {
        const certificate = (
          response.socket as unknown as { getPeerCertificate(): PeerCertificate }
        ).getPeerCertificate()
        let body = ''
        response.on('data', (chunk: Buffer) => (body += chunk.toString()))
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body, name: String(certificate.subject.CN) }),
        )
      })
      outgoing.on('error', reject)
      outgoing.end()
    })

  test('requests are served, and the origin is told the scheme', async () => {
    const { status, body, name } = await get()
    expect(status).toBe(200)
    expect(name).toBe('first.example')
    expect(body).toContain('"x-forwarded-proto","https"')
  })

  test('plain HTTP is redirected, with method and target kept', async () => {
    const { text } = await sendRaw(
      plainPort,
      'POST /a?b=c HTTP/1.1\r\nHost: example.com:80\r\nContent-Length: 0\r\n\r\n',
    )
    expect(text).toMatch(/^HTTP\/1\.1 308 /)
    expect(text).toMatch(/location: https:\/\/example\.com:8443\/a\?b=c/i)
  })

  test('so is a WebSocket that is not encrypted', async () => {
    const { text } = await sendRaw(
      plainPort,
      'GET /a HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    )
    expect(text).toMatch(/^HTTP\/1\.1 301 /)
  })

  test('only TLS 1.2 and newer, only HTTP/1.1', async () => {
    const handshake = (options: object): Promise<string> =>
      new Promise((resolve) => {
        const socket = connect(
          { port: bed.port, host: '127.0.0.1', rejectUnauthorized: false, ...options },
          () => {
            resolve(`${socket.getProtocol()} ${socket.alpnProtocol}`)
            socket.destroy()
          },
        )
        socket.on('error', () => resolve('refused'))
      })
    expect(await handshake({ ALPNProtocols: ['http/1.1'] })).toBe('TLSv1.3 http/1.1')
    expect(await handshake({ ALPNProtocols: ['h2', 'http/1.1'] })).toBe('TLSv1.3 http/1.1')
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }
    expect(await handshake(old)).toBe('refused')
  })

  test('noise instead of a handshake harms nobody', async () => {
    const socket = await openRaw(bed.port)
    socket.write('GET / HTTP/1.1\r\n\r\n')
    await delay(100)
    socket.destroy()
    expect((await get()).status).toBe(200)
  })

  test('a new certificate is taken on; one that does not load is not', async () => {
    const notes = (): readonly string[] => bed.plane.state().notes
    const noted = async (what: string): Promise<void> => {
      for (let tries = 0; tries < 80 && !notes().some((note) => note.startsWith(what)); tries++)
        await delay(100)
      expect(notes().some((note) => note.startsWith(what))).toBe(true)
    }
    writeFileSync(files.certificate, 'no certificate')
    await noted('certificate refused')
    expect((await get(true)).name).toBe('first.example')
    issue('second.example')
    await noted('certificate reloaded')
    expect((await get(true)).name).toBe('second.example')
  })
})
