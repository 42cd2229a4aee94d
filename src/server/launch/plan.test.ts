import { existsSync } from 'node:fs'
import { extname } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../kernel/std/index.ts'
import { parseEnvironment } from '../composition/load.ts'
import { edgeThreads, hugePageVariables, placesOf, supervisorPlan } from './plan.ts'

function environmentWith(ports: readonly number[], threads?: number) {
  return parseEnvironment({
    name: 'arcade',
    services: { web: { command: ['node'] } },
    edge: { listen: ports.map((port) => ({ port })), ...(threads === undefined ? {} : { threads }) },
  })
}

const placed = (environment: ReturnType<typeof parseEnvironment>) => ({
  file: '/srv/holdfast.config.ts',
  directory: '/srv',
  environment,
})

interface EdgeSocket {
  readonly host: string
  readonly port: number
  readonly descriptors: readonly number[]
}

/** What the two processes get: inherited descriptors in order, and what they are told about them. */
function planOf(ports: readonly number[], threads: number) {
  const environment = environmentWith(ports, threads)
  const descriptors = placesOf(environment).map((_, index) => 3 + index)
  const plan = supervisorPlan(placed(environment), '/data', descriptors)
  const [control, edge] = plan.processes
  if (control === undefined || edge === undefined) throw new Error('a process is missing')
  const listeners = JSON.parse(edge.variables['HOLDFAST_LISTENERS'] ?? '') as readonly EdgeSocket[]
  return { plan, control, edge, listeners }
}

test('control has to be able to read what it hands on and to reach Docker, and the edge has not', () => {
  const environment = parseEnvironment({
    name: 'arcade',
    engine: { swarm: 'unix:///run/docker.sock' },
    services: { web: { image: 'x', files: { APP_CONFIG: './app.json', KEY: { variable: 'KEY' } } } },
  })
  const [control, edge] = supervisorPlan(placed(environment), '/data', [3, 4]).processes
  expect(control?.reads).toEqual(['/srv', '/srv/holdfast.config.ts', '/srv/app.json', '/run/docker.sock'])
  expect(edge?.reads).toEqual([])
})

test('the secret of sessions reaches the edge, and nobody else, when the file names a variable', () => {
  const variable = 'HOLDFAST_TEST_SESSION_SECRET'
  const session = { secretVariable: variable }
  const services = { web: { command: ['node'] } }
  const environment = parseEnvironment({ name: 'arcade', services, edge: { identity: { session } } })
  const given = () =>
    supervisorPlan(placed(environment), '/data', [3, 4]).processes.map(({ variables }) => variables[variable])
  expect(given()).toEqual([undefined, undefined])
  process.env[variable] = 's3cret'
  try {
    expect(given()).toEqual([undefined, 's3cret'])
  } finally {
    delete process.env[variable]
  }
})

describe('where to listen', () => {
  test('first the edge in the order of the file, then control; each with the key and flag that move it', () => {
    const places = placesOf(environmentWith([80, 443]))
    expect(places.map(({ host, port, path }) => [host, port, path])).toEqual([
      ['127.0.0.1', 80, 'edge.listen.0.port'],
      ['127.0.0.1', 443, 'edge.listen.1.port'],
      ['127.0.0.1', 8400, 'control.port'],
    ])
    expect(places.map(({ flag }) => flag)).toEqual([
      '--edge-port',
      'another "port" in the file',
      '--control-port',
    ])
  })

  test('as many threads as the file says, else at least one', () => {
    expect(edgeThreads(environmentWith([80], 7))).toBe(7)
    expect(edgeThreads(environmentWith([80]))).toBeGreaterThanOrEqual(1)
  })
})

describe('the plan of the supervisor', () => {
  test('two listeners, two threads: six copies of each socket, numbered as the edge will have them', () => {
    const { control, edge, listeners } = planOf([80, 443], 2)
    expect(control.descriptors).toEqual([5])
    expect(JSON.parse(control.variables['HOLDFAST_CONTROL'] ?? '')).toEqual({
      host: '127.0.0.1',
      port: 8400,
      descriptor: 3,
    })
    expect(edge.descriptors).toEqual([3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4])
    expect(listeners).toEqual([
      { host: '127.0.0.1', port: 80, descriptors: [3, 4, 5, 6, 7, 8] },
      { host: '127.0.0.1', port: 443, descriptors: [9, 10, 11, 12, 13, 14] },
    ])
  })

  test('for any listeners and threads: every descriptor of the edge belongs to one listener, the right one', () => {
    const ports = fc.uniqueArray(fc.integer({ min: 1, max: 65_535 }), { minLength: 1, maxLength: 16 })
    fc.assert(
      fc.property(ports, fc.integer({ min: 1, max: 64 }), (ports, threads) => {
        const { edge, listeners } = planOf(ports, threads)
        expect(listeners.map(({ port }) => port)).toEqual(ports)
        const numbers = listeners.flatMap(({ descriptors }) => descriptors)
        expect(numbers).toEqual(edge.descriptors.map((_, index) => 3 + index))
        for (const [index, { descriptors }] of listeners.entries()) {
          expect(descriptors.length).toBeGreaterThan(threads)
          expect(new Set(descriptors.map((number) => edge.descriptors[number - 3]))).toEqual(
            new Set([3 + index]),
          )
        }
      }),
    )
  })

  test('asks for huge pages for the edge alone, on Linux alone, and leaves what was set', () => {
    const { control, edge } = planOf([80], 1)
    const ours = hugePageVariables(process.platform, process.env['GLIBC_TUNABLES'])
    expect(edge.variables).toMatchObject(ours)
    expect(control.variables).not.toHaveProperty('GLIBC_TUNABLES')
    expect(hugePageVariables('darwin', undefined)).toEqual({})
    expect(hugePageVariables('linux', '')).toEqual({ GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' })
    expect(hugePageVariables('linux', 'glibc.malloc.check=0')).toEqual({
      GLIBC_TUNABLES: 'glibc.malloc.check=0:glibc.malloc.hugetlb=1',
    })
  })

  test('names scripts that exist, this Node, and the data; it is plain data', () => {
    const { plan } = planOf([80], 1)
    expect(plan.processes.map(({ name }) => name)).toEqual(['control', 'edge'])
    for (const { script, variables } of plan.processes) {
      expect(extname(script)).toBe(extname(import.meta.url))
      expect(existsSync(script)).toBe(true)
      expect(variables['HOLDFAST_DATA']).toBe('/data')
    }
    expect(plan.node).toBe(process.execPath)
    expect(plan.version).toMatch(/^\d+\.\d+\.\d+/)
    expect(canonicalJson(JSON.parse(JSON.stringify(plan)))).toBe(canonicalJson(plan as never))
  })
})
