import { join } from 'node:path'
import { limits } from '../../../src/capabilities/limits/index.ts'
import { operationCatalogue } from '../../../src/contracts/index.ts'
import { sqliteJournal } from '../../../src/providers/limit-journal/index.ts'
import { serveControl } from '../../../src/server/control/index.ts'

/** Control with nothing but application limits, as `LIMITS_SECTION` (JSON) has them. */
await serveControl('0.0.0-test', ({ dataDirectory, plan }) => {
  const section = limits.config.parse(JSON.parse(process.env['LIMITS_SECTION'] ?? '{}'))
  const journal = sqliteJournal({ path: join(dataDirectory, 'limits.db') })
  return Promise.resolve({
    capabilities: (context) => [limits.create(section, context, { journal })],
    catalogue: operationCatalogue.filter(({ name }) => !/^(?:environment|edge)\./.test(name)),
    people: {},
    retention: { maxAgeMs: 86_400_000, maxSizeBytes: 2 ** 30 },
    settings: { ...plan, hosts: [] },
  })
})
