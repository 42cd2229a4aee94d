import * as fc from 'fast-check'

const name = fc.constantFrom('web', 'api', 'mailer', 'constructor', 'to-string', 'a')
const serviceData = fc.record(
  {
    command: fc.array(fc.constantFrom('node', 'web.ts', '--flag', 'é'), { minLength: 1, maxLength: 4 }),
    health: fc.constantFrom('/', '/healthz'),
    replicas: fc.integer({ min: 1, max: 5 }),
    env: fc.dictionary(fc.constantFrom('A', 'B', 'constructor', 'toString'), fc.string(), { maxKeys: 3 }),
    passEnv: fc.array(fc.constantFrom('HOME', 'TOKEN'), { maxLength: 2 }),
    startTimeout: fc.constantFrom('1s', '5s', '1min'),
  },
  { requiredKeys: ['command'] },
)
const limit = fc.constantFrom('1/s', '120/min per ip burst 60', '2 at once per ip', '5 in any hour per ip')

/** Any environment file that is valid. */
export const environmentData = fc
  .record({
    name: fc.constantFrom('arcade', 'stage'),
    services: fc.dictionary(name, serviceData, { minKeys: 1, maxKeys: 4 }),
    people: fc.dictionary(name, fc.record({ role: fc.constantFrom('view', 'operate') }), { maxKeys: 3 }),
    paths: fc.uniqueArray(fc.constantFrom('/*', 'GET /a', 'POST /login', '/b/:id'), { maxLength: 4 }),
    limit,
    ports: fc.uniqueArray(fc.integer({ min: 1024, max: 65_000 }), { minLength: 1, maxLength: 3 }),
    keepFor: fc.constantFrom('1d', '400d'),
  })
  .map(({ paths, limit, ports, keepFor, ...rest }) => {
    const [to = ''] = Object.keys(rest.services)
    const routes = Object.fromEntries(paths.map((path) => [path, { to, limit }]))
    const edge = { routes, listen: ports.map((port) => ({ port })) }
    return { ...rest, edge, timeline: { keepFor } }
  })
