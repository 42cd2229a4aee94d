import { describe, expect, test } from 'vitest'
import { parseEnvironment } from './load.ts'

const good = {
  name: 'arcade',
  services: { web: { command: ['node', 'web.ts'] } },
  edge: { routes: { '/*': { to: 'web', limit: '120/min per ip' } } },
}

function refusal(data: unknown): {
  readonly message: string
  readonly path: string | undefined
  readonly hint: string | undefined
} {
  try {
    parseEnvironment(data)
  } catch (error) {
    const { message, path, hint } = error as { message: string; path?: string; hint?: string }
    return { message, path, hint }
  }
  throw new Error('it was accepted')
}

describe('a wrong environment file gives the path, what is wrong and a hint', () => {
  test('the good one is accepted', () => {
    expect(parseEnvironment(good).name).toBe('arcade')
  })

  test('an unknown key, with what was meant', () => {
    const found = refusal({ ...good, services: { web: { command: ['node'], replica: 2 } } })
    expect(found).toMatchObject({ path: 'services.web.replica', hint: 'did you mean "replicas"?' })
  })

  test('an unknown key at the top', () => {
    expect(refusal({ ...good, service: {} })).toMatchObject({
      path: 'service',
      hint: 'did you mean "services"?',
    })
  })

  test('a wrong type', () => {
    expect(refusal({ ...good, name: 7 })).toMatchObject({
      path: 'name',
      message: expect.stringContaining('string'),
    })
  })

  test('a wrong duration', () => {
    const found = refusal({ ...good, services: { web: { command: ['node'], startTimeout: 'soon' } } })
    expect(found.path).toBe('services.web.startTimeout')
    expect(found.message).toContain('10s')
  })

  test('an unlimited route', () => {
    const found = refusal({ ...good, edge: { routes: { '/*': { to: 'web' } } } })
    expect(found.path).toContain('edge.routes./*')
  })

  test('an unknown service', () => {
    const found = refusal({ ...good, edge: { routes: { '/*': { to: 'wbe', limit: '1/s' } } } })
    expect(found.path).toContain('edge.routes./*')
    expect(found.hint).toContain('web')
  })

  test('two routes the same', () => {
    const route = { to: 'web', limit: '1/s' }
    expect(
      refusal({ ...good, edge: { routes: { 'GET /a/:id': route, 'GET /a/:name': route } } }).path,
    ).toContain('edge.routes')
  })

  test('an unreadable limit', () => {
    const found = refusal({ ...good, edge: { routes: { '/*': { to: 'web', limit: 'many per ip' } } } })
    expect(found.path).toContain('limit')
    expect(found.hint).not.toBe(undefined)
  })

  test('several problems are counted', () => {
    expect(refusal({ ...good, name: 7, nmae: 'x' }).message).toMatch(/and 1 more/)
  })
})
