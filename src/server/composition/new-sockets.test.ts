import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { environmentData } from '../../../test/support/environment/environment-data.ts'
import { override, parseEnvironment } from './load.ts'
import { needsNewSockets } from './new-sockets.ts'

const base = {
  name: 'arcade',
  services: {
    web: { command: ['node', 'web.ts'] },
    mailer: { command: ['node', 'mailer.ts'], listens: false },
  },
  edge: { routes: { '/*': { to: 'web', limit: '120/min per ip' } } },
}

describe('whether new sockets are needed', () => {
  const needs = (after: object): boolean =>
    needsNewSockets(parseEnvironment(base), parseEnvironment({ ...base, ...after }))

  test.each([
    [{ edge: { ...base.edge, listen: [{ port: 8081 }] } }, true],
    [{ edge: { ...base.edge, listen: [{ port: 8080, host: '0.0.0.0' }] } }, true],
    [{ edge: { ...base.edge, listen: [{ port: 8080 }, { port: 8443 }] } }, true],
    [{ edge: { ...base.edge, threads: 3 } }, true],
    [{ control: { port: 8401 } }, true],
    [{ control: { host: '127.0.0.2' } }, true],
    [{ control: { hosts: ['console.example.com'] } }, false],
    [
      { edge: { ...base.edge, listen: [{ port: 8080, tls: { certificate: 'a.pem', key: 'b.pem' } }] } },
      false,
    ],
    [{ edge: { ...base.edge, routes: {} } }, false],
    [{ services: { ...base.services, api: { command: ['a'] } } }, false],
  ])('%j: %s', (after, expected) => {
    expect(needs(after)).toBe(expected)
  })

  test('never without a change', () => {
    fc.assert(
      fc.property(environmentData, (data) => {
        const environment = parseEnvironment(data)
        expect(needsNewSockets(environment, environment)).toBe(false)
      }),
    )
  })
})

describe('ports of the command line', () => {
  test('win over the file: the first listener and control, nothing else', () => {
    const before = parseEnvironment({ ...base, edge: { ...base.edge, listen: [{ port: 81 }, { port: 82 }] } })
    const after = override(before, { edgePort: 9000, controlPort: 9001 })
    const listen = before.edge.listen.map((listener, index) =>
      index === 0 ? { ...listener, port: 9000 } : listener,
    )
    expect(after).toEqual({
      ...before,
      edge: { ...before.edge, listen },
      control: { ...before.control, port: 9001 },
    })
  })

  test('without any, nothing changes', () => {
    const environment = parseEnvironment(base)
    expect(override(environment, {})).toEqual(environment)
  })
})
