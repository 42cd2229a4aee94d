import { createRequire } from 'node:module'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { createLimits } from '../index.ts'
import { limitExpress } from '../http/express.ts'
import { limitFastify } from '../http/fastify.ts'
import { limitHono } from '../http/hono.ts'
import { covers, partsOfTarget, readRoute } from './pattern.ts'
import { createRouter } from './router.ts'
import { uncoveredInOpenApi, uncoveredRoutes, watchFastify } from './index.ts'

// Its own types are those of Express 5.
const express4 = createRequire(import.meta.url)('express4') as typeof express

describe('routes', () => {
  test('the most specific one is found', () => {
    const keys = [
      '/*',
      '/users/:id',
      '/users/me',
      'POST /users/me',
      'GET /users/:id/mails',
      '/files/*',
      '/:a/b/c',
    ]
    const find = createRouter(keys.map((key) => [readRoute(key), key] as const))
    const found = (method: string, target: string) => find(method, target)
    expect(found('GET', '/users/me')).toBe('/users/me')
    expect(found('POST', '/users/me')).toBe('POST /users/me')
    expect(found('GET', '/users/42?x=/files')).toBe('/users/:id')
    expect(found('HEAD', '/users/42/mails')).toBe('GET /users/:id/mails')
    expect(found('POST', '/users/42/mails')).toBe('/*')
    expect(found('GET', '/files')).toBe('/files/*')
    expect(found('GET', '/files/a/b')).toBe('/files/*')
    expect(found('GET', '/users/b/c')).toBe('/:a/b/c')
    expect(found('GET', '/x/b/c')).toBe('/:a/b/c')
    expect(found('GET', 'http://host/users/me')).toBe('/users/me')
    expect(createRouter([[readRoute('GET /a'), 1]])('GET', '/b')).toBeNull()
  })

  test('a target is read leniently and never throws', () => {
    expect(partsOfTarget('/A//b/%63/./x/../%zz;v=1#f')).toEqual(['a', 'b', 'c', '%zz'])
    expect(partsOfTarget('*')).toEqual(['*'])
    expect(partsOfTarget('')).toEqual([])
  })

  test.each([
    ['/*', 'POST /a/b', true],
    ['/a/*', '/a', true],
    ['/a/*', '/a/*', true],
    ['/a/:x', '/a/:y', true],
    ['/a/:x', '/a/*', false],
    ['/a/b', '/a/:x', false],
    ['POST /a', '/a', false],
    ['GET /a', 'HEAD /a', true],
    ['/a', '/a/b', false],
  ])('%s covers %s: %s', (wide, narrow, is) => {
    expect(covers(readRoute(wide), readRoute(narrow))).toBe(is)
  })
})

const rules = { 'GET /users/:id': 'all', '/api/*': 'all' } as const

describe('routes that no rule covers', () => {
  test.each([
    ['Express 4', express4, '/...'],
    ['Express 5', express, '/admin'],
  ])('%s', (_, create, mount) => {
    const app = create()
    const limits = createLimits({ all: '1/s' })
    app.use(limitExpress(limits, rules) as never)
    const answer = (_request: unknown, response: { end(): unknown }): void => void response.end()
    app.get('/users/:name', answer)
    app.post('/users/:name', answer)
    app.all('/any', answer)
    app.get(/^\/odd/, answer)
    const api = create.Router()
    const inner = create.Router()
    inner.get('/deep/:id', answer)
    api.get('/things', answer)
    api.use('/v1', inner)
    app.use('/api', api)
    const admin = create.Router()
    admin.delete('/all', answer)
    app.use('/admin', admin)
    expect(uncoveredRoutes(app, rules)).toEqual([
      '/any',
      `DELETE ${mount}/all`,
      String.raw`GET /^\/odd/`,
      'POST /users/:name',
    ])
    expect(uncoveredRoutes(app, { ...rules, '/*': 'all' })).toEqual([])
    expect(() => uncoveredRoutes(app, rules, { strict: true })).toThrow('No rule limits /any, DELETE /')
  })

  test('Fastify, which can refuse to start', async () => {
    const limits = createLimits({ all: '1/s' })
    const app = fastify()
    await app.register(limitFastify, { limits, rules })
    app.get('/users/:id', () => 'ok')
    await app.register(
      (child, _, done) => {
        child.route({ method: ['PUT', 'PATCH'], url: '/all', handler: () => 'ok' })
        done()
      },
      { prefix: '/admin' },
    )
    await app.ready()
    expect(uncoveredRoutes(app, rules)).toEqual(['PATCH /admin/all', 'PUT /admin/all'])
    await app.close()
    const strict = fastify()
    await strict.register(limitFastify, { limits, rules, strict: true })
    strict.get('/bare', () => 'ok')
    await expect(strict.ready()).rejects.toMatchObject({ code: 'limit.uncovered' })
    const watched = fastify()
    watchFastify(watched)
    watched.get('/bare', () => 'ok')
    await watched.ready()
    expect(uncoveredRoutes(watched, rules)).toEqual(['GET /bare', 'HEAD /bare'])
    await watched.close()
  })

  test('Hono', () => {
    const app = new Hono()
    app.use(limitHono(createLimits({ all: '1/s' }), rules))
    app.get('/users/:id', (context) => context.text('ok'))
    app.post('/bare', (context) => context.text('ok'))
    const admin = new Hono().all('/files/*', (context) => context.text('ok'))
    app.route('/admin', admin)
    expect(uncoveredRoutes(app, rules)).toEqual(['/admin/files/*', 'POST /bare'])
  })

  test('OpenAPI, where a catch-all is no cover', () => {
    const operation = { responses: {} }
    const document = {
      openapi: '3.1.0',
      servers: [{ url: 'https://example.com/v1/' }],
      paths: {
        '/users/{id}': { get: operation, delete: operation, parameters: [] },
        '/login': { post: operation },
      },
    }
    const keys = ['GET example.com/v1/users/:id', '/*']
    expect(uncoveredInOpenApi(document, keys)).toEqual(['DELETE /v1/users/{id}', 'POST /v1/login'])
    expect(uncoveredInOpenApi(document, keys, { catchAll: true })).toEqual([])
    expect(() => uncoveredInOpenApi(document, keys, { strict: true })).toThrow('POST /v1/login')
    expect(() => uncoveredInOpenApi({ paths: {} }, keys)).toThrow('no OpenAPI document')
    expect(() => uncoveredInOpenApi('x', keys)).toThrow('no OpenAPI document')
  })

  test('what is no application is named', () => {
    expect(() => uncoveredRoutes({}, rules)).toThrow('cannot be listed')
  })
})
