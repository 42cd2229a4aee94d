import { systemClock } from '../../../src/kernel/std/index.ts'
import { serveControl } from '../../../src/server/control/index.ts'
import { bindTestOperations } from './house.ts'
import { testCatalogue } from './operations.ts'

/** Control as a process, with nothing but the tests' operations; says on standard output what they were called with. */
const seen = Object.assign([] as string[], {
  push: (line: string) => {
    process.stdout.write(`seen ${line}\n`)
    return 0
  },
})

await serveControl('0.0.0-test', ({ plan, endControl }) => {
  process.on('SIGUSR2', endControl)
  return Promise.resolve({
    capabilities: () => [],
    bindings: () => bindTestOperations(seen, systemClock),
    people: { kim: { role: 'operate' as const } },
    retention: { maxAgeMs: 86_400_000, maxSizeBytes: 2 ** 30 },
    settings: plan,
    catalogue: testCatalogue,
  })
})
