import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { connect } from 'node:net'
import type { ProbeResult, Prober } from '../../capabilities/environment/ports.ts'
import { systemCode } from '../../kernel/std/index.ts'

const healthy: ProbeResult = { healthy: true, detail: '' }
const ill = (detail: string): ProbeResult => ({ healthy: false, detail })

/** Looks at an address: any answer of class 2xx or 3xx at the path is well; without a path, a TCP connection is. */
export function httpProbe(): Prober {
  return {
    probe: (origin, path, timeoutMs) => {
      const url = URL.parse(path ?? '/', origin)
      if (url === null) return Promise.resolve(ill(`${origin} is no address`))
      return path === null ? probeSocket(url, timeoutMs) : probePath(url, timeoutMs)
    },
  }
}

function probePath(url: URL, timeoutMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const open = url.protocol === 'https:' ? requestHttps : requestHttp
    const headers = { 'user-agent': 'holdfast-probe', connection: 'close' }
    const signal = AbortSignal.timeout(timeoutMs)
    const outgoing = open(url, { agent: false, headers, signal }, (answer) => {
      const status = answer.statusCode ?? 0
      answer.on('error', () => undefined)
      answer.resume()
      answer.once('data', () => outgoing.destroy())
      resolve(status >= 200 && status < 400 ? healthy : ill(`answered ${status}`))
    })
    outgoing.on('error', (error) => resolve(ill(signal.aborted ? sayTimeout(timeoutMs) : sayError(error))))
    outgoing.end()
  })
}

function probeSocket(url: URL, timeoutMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
    const socket = connect({ host: url.hostname.replace(/^\[|\]$/g, ''), port })
    const end = (result: ProbeResult): void => {
      socket.destroy()
      resolve(result)
    }
    socket.setTimeout(timeoutMs, () => end(ill(sayTimeout(timeoutMs))))
    socket.once('connect', () => end(healthy))
    socket.on('error', (error) => end(ill(sayError(error))))
  })
}

const sayTimeout = (timeoutMs: number): string => `did not answer within ${timeoutMs / 1000} s`

function sayError(error: Error): string {
  const code = systemCode(error)
  if (code === 'ECONNREFUSED') return 'refuses connections'
  if (code === 'ECONNRESET') return 'ended the connection without an answer'
  return code ?? error.message
}
