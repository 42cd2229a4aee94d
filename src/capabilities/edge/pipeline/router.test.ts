import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseRouteKey } from '../policy/route-key.ts'
import { createRouter } from './router.ts'

const routerOf = (...names: string[]) =>
  createRouter(names.map((name) => ({ route: parseRouteKey(name), value: name })))

describe('a router', () => {
  const router = routerOf(
    '/*',
    'POST /login',
    'GET /assets/*',
    '/users/:id',
    '/users/me',
    'GET /users/:name/posts',
    'api.example.com/*',
    'GET api.example.com/v1/*',
    '*.example.com/static/*',
    'HEAD /assets/big',
  )

  test.each([
    ['GET', 'x.org', '/', '/*'],
    ['POST', 'x.org', '/login', 'POST /login'],
    ['GET', 'x.org', '/login', '/*'],
    ['POST', 'x.org', '/LOGIN/', 'POST /login'],
    ['POST', 'x.org', '/login;a=b', 'POST /login'],
    ['GET', 'x.org', '/assets/a/b.css', 'GET /assets/*'],
    ['HEAD', 'x.org', '/assets/a', 'GET /assets/*'],
    ['HEAD', 'x.org', '/assets/big', 'HEAD /assets/big'],
    ['GET', 'x.org', '/assets/big', 'GET /assets/*'],
    ['POST', 'x.org', '/assets/a', '/*'],
    ['DELETE', 'x.org', '/users/7', '/users/:id'],
    ['GET', 'x.org', '/users/me', '/users/me'],
    ['GET', 'x.org', '/users/7/posts', 'GET /users/:name/posts'],
    ['PUT', 'x.org', '/users/7/posts', '/*'],
    ['PROPFIND', 'x.org', '/users/7', '/users/:id'],
    ['GET', 'api.example.com', '/v1/x', 'GET api.example.com/v1/*'],
    ['POST', 'api.example.com', '/v1/x', 'api.example.com/*'],
    ['POST', 'api.example.com', '/login', 'api.example.com/*'],
    ['GET', 'cdn.example.com', '/static/x', '*.example.com/static/*'],
    ['GET', 'cdn.example.com', '/users/me', '/users/me'],
    ['GET', 'a.b.example.com', '/static/x', '/*'],
    ['GET', 'example.com', '/static/x', '/*'],
  ])('%s %s%s goes to %s', (...[method, host, path, name]) => {
    expect(router.find(method, host, path)).toBe(name)
  })

  test.each([
    ['/admin/', '/admin/*'],
    ['/admin', '/admin/*'],
    ['/ADMIN;x', '/admin/*'],
    ['/own/', 'POST /own'],
    ['/own/x', '/own/*'],
    ['/other', '/*'],
  ])('a folder is below its own star: %s goes to %s', (path, name) => {
    const folders = routerOf('/*', '/admin/*', '/own/*', 'POST /own')
    expect(folders.find('POST', '', path)).toBe(name)
  })

  test("what no route matches is nobody's", () => {
    const small = routerOf('GET /a', 'POST /b')
    expect(small.find('POST', '', '/a')).toBeNull()
    expect(small.find('GET', '', '/c')).toBeNull()
    expect(routerOf().find('GET', '', '/')).toBeNull()
  })

  test('long parts and odd names are matched like any other', () => {
    expect(router.find('GET', '', `/users/${'x'.repeat(5000)}`)).toBe('/users/:id')
    expect(router.find('GET', '', '/users/__proto__')).toBe('/users/:id')
    expect(router.find('GET', '', '/users/a%20b%3A')).toBe('/users/:id')
  })

  test('the order in which routes are written means nothing', () => {
    const names = ['/*', 'GET /*', '/a/*', '/a/:x', 'GET /a/b', 'h.example/*', 'POST /a/b', '*.example/a/:x']
    const question = fc.record({
      method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT'),
      host: fc.constantFrom('', 'h.example', 'i.example'),
      path: fc.constantFrom('/', '/a', '/a/b', '/a/c', '/a/b/c'),
    })
    fc.assert(
      fc.property(fc.shuffledSubarray(names, { minLength: names.length }), question, (shuffled, asked) => {
        const found = routerOf(...shuffled).find(asked.method, asked.host, asked.path)
        expect(found).toBe(routerOf(...names).find(asked.method, asked.host, asked.path))
      }),
    )
  })
})
