import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Doors } from '../../../src/server/control/doors/index.ts'
import { createMetrics, openDoors, type HouseOptions } from '../../../src/server/control/index.ts'
import { testHouse, type TestHouse } from './house.ts'

/** The root token of every test's house. */
export const rootToken = 'r'.repeat(43)

/** What came back. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly json: Record<string, unknown>
}

/** How to send; with a body it is a POST. */
export interface Sending extends RequestOptions {
  readonly body?: string
  readonly rejectUnauthorized?: boolean
}

/** A house with open doors. */
export interface World extends TestHouse {
  readonly doors: Doors
  readonly send: (path: string, options?: Sending) => Promise<Answer>
}

const closing: (() => Promise<unknown>)[] = []

/** Closes something after the test. */
export function closeLater(close: () => Promise<unknown>): void {
  closing.push(close)
}

/** Closes whatever the test opened; call it after each. */
export async function closeAll(): Promise<void> {
  for (const close of closing.splice(0).toReversed()) await close()
}

/** Builds a house in memory and opens its doors on a free port. */
export async function openWorld(options: Partial<HouseOptions> = {}, settings: object = {}): Promise<World> {
  const metrics = createMetrics(() => here.house.operations.map(({ name }) => name))
  const here = await testHouse({ rootToken, observe: (call) => metrics.observe(call), ...options })
  closeLater(() => here.house.stop())
  const doors = await openDoors({
    house: here.house,
    metrics,
    version: '0.0.0-test',
    settings: { host: '127.0.0.1', port: 0, ...settings },
    consoleDirectory: '/nowhere',
  })
  closeLater(() => doors.close())
  return { ...here, doors, send: (path, sending = {}) => send(doors.url, path, sending) }
}

/** Sends one request. */
export function send(url: string, path: string, { body, ...options }: Sending): Promise<Answer> {
  const request = url.startsWith('https') ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const sent = request(`${url}${path}`, { method: body === undefined ? 'GET' : 'POST', ...options })
    sent.on('error', reject)
    sent.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (data: string) => (text += data))
      response.on('error', reject)
      response.on('end', () => {
        const isJson = response.headers['content-type']?.includes('json') === true
        const json = isJson && !text.includes('\n') ? (JSON.parse(text) as Record<string, unknown>) : {}
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json })
      })
    })
    sent.end(body)
  })
}

/** Headers of a program with the root token. */
export const asRoot = { 'content-type': 'application/json', authorization: `Bearer ${rootToken}` }

/** A call of an operation as root. */
export function op(input: unknown, headers: Record<string, string> = {}): Sending {
  return { body: JSON.stringify(input), headers: { ...asRoot, ...headers } }
}

/** Waits until something is so, for two seconds at most; says whether it became so. */
export async function eventually(look: () => boolean): Promise<boolean> {
  for (let tries = 0; tries < 200 && !look(); tries++) await new Promise((resolve) => setTimeout(resolve, 10))
  return look()
}
