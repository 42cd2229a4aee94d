import { describe, expect, test } from 'vitest'
import { findCircle, importsOf, judgeImport, loadedWith } from './architecture/imports.ts'
import { allSources, filesBelow, isProduct, parse } from './architecture/sources.ts'

const sources = allSources()
const product = sources.filter(({ path }) => isProduct(path))
const imports = product.flatMap(importsOf)

/** What the table says about one import statement in one file. */
function judge(path: string, statement: string): string | null {
  return (
    importsOf(parse(path, statement))
      .map(judgeImport)
      .find((verdict) => verdict !== null) ?? null
  )
}

describe('the rooms', () => {
  test('import only whom the table allows', () => {
    const wrong = imports.flatMap((found) => {
      const verdict = judgeImport(found)
      return verdict === null ? [] : [`${found.from}:${found.line} ${verdict}`]
    })
    expect(wrong).toEqual([])
  })

  test('have no import circles, types included', () => {
    expect(findCircle(imports)).toBeNull()
  })

  test('have at most 14 source files', () => {
    const counts = Map.groupBy(product, ({ path }) => path.slice(0, path.lastIndexOf('/')))
    const crowded = [...counts].filter(([, files]) => files.length > 14)
    expect(crowded.map(([room, files]) => `${room}: ${files.length}`)).toEqual([])
  })

  test('explain themselves: kernel rooms and capabilities have a README', () => {
    const rooms = new Set(
      product
        .map(({ path }) => /^src\/(?:kernel|capabilities)\/([a-z-]+)\//.exec(path)?.[0])
        .filter((room) => room !== undefined)
        .filter((room) => !/kernel\/(?:std|capability)\//.test(room)),
    )
    const readmes = filesBelow('src', /README\.md$/)
    expect([...rooms].filter((room) => !readmes.includes(`${room}README.md`))).toEqual([])
  })
})

describe('what the edge loads before it serves, while connections wait', () => {
  const main = loadedWith('src/server/edge/main.ts', imports)
  const thread = loadedWith('src/capabilities/edge/data-plane/traffic/thread.ts', imports)

  test('is found', () => {
    expect([...main]).toContain('src/capabilities/edge/data-plane/crew/seat.ts')
    expect([...thread]).toContain('node:http')
    expect([...loadedWith('src/server/control/main.ts', imports)]).toContain('fastify')
  })

  test('has no schemas, no part of control or supervisor, and in the main thread no HTTP', () => {
    const packages = ['zod', 'fastify', 'pino', 'prom-client', '@clack/prompts']
    const parts = ['src/contracts/edge-policy.ts', 'src/capabilities/edge/index.ts']
    const needless = new Set([...packages, ...parts])
    expect([...thread].filter((each) => needless.has(each))).toEqual([])
    expect([...main].filter((each) => each.startsWith('src/server/supervisor/'))).toEqual([])
    for (const each of ['node:http', 'node:https', 'find-my-way']) needless.add(each)
    expect([...main].filter((each) => needless.has(each))).toEqual([])
  })
})

describe('the table can say no', () => {
  test.each([
    ['src/kernel/limit/take.ts', "import { x } from '../timeline/index.ts'"],
    ['src/kernel/limit/take.ts', "import { x } from '../std/clock.ts'"],
    ['src/kernel/std/clock.ts', "import { x } from 'undici'"],
    ['src/kernel/capability/index.ts', "import { openTimeline } from '../timeline/index.ts'"],
    ['src/contracts/edge.ts', "import type { X } from '../kernel/limit/index.ts'"],
    ['src/capabilities/edge/view.ts', "import type { X } from '../environment/ports.ts'"],
    ['src/capabilities/edge/view.ts', "import { z } from 'zod'"],
    ['src/capabilities/edge/view.ts', "type X = import('../../server/control/index.ts').X"],
    ['src/providers/redis/index.ts', "export { x } from '../../capabilities/edge/index.ts'"],
    ['src/providers/redis/index.ts', "import { x } from '../files/index.ts'"],
    ['src/server/control/main.ts', "import { x } from '../../capabilities/edge/policy.ts'"],
    ['src/server/edge/main.ts', "import { x } from '../../capabilities/edge/data-plane/crew/index.ts'"],
    ['src/server/control/main.ts', "const x = await import('../../cli/main.ts')"],
    ['src/client/index.ts', "import { operationCatalogue } from '../contracts/index.ts'"],
    ['src/client/index.ts', "import 'undici'"],
    ['src/limit/limits.ts', "import { x } from '../kernel/timeline/index.ts'"],
    ['src/limit/limits.ts', "import { x } from '../contracts/limits.ts'"],
    ['src/limit/http/express.ts', "import type { Request } from 'express'"],
    ['src/cli/local/check.ts', "import { x } from '../../limit/routes/index.ts'"],
    ['src/cli/run.ts', "import { x } from '../server/composition/index.ts'"],
    ['src/cli/run.ts', "export * from '../kernel/timeline/index.ts'"],
    ['src/console/page.tsx', "import { x } from '../cli/output/index.ts'"],
    ['src/console/page.tsx', "import { x } from '../../test/support/programs.ts'"],
  ])('%s may not: %s', (path, statement) => {
    expect(judge(path, statement)).not.toBeNull()
  })

  test.each([
    ['src/kernel/limit/take.ts', "import { x } from '../std/index.ts'"],
    ['src/kernel/capability/index.ts', "import type { Timeline } from '../timeline/index.ts'"],
    ['src/contracts/edge.ts', "import { z } from 'zod'"],
    ['src/capabilities/edge/config.ts', "import { z } from 'zod'"],
    ['src/capabilities/edge/view.ts', "import { x } from '../../kernel/limit/index.ts'"],
    ['src/providers/redis/index.ts', "import type { X } from '../../capabilities/edge/ports.ts'"],
    ['src/server/control/main.ts', "import { x } from '../../capabilities/edge/index.ts'"],
    ['src/client/index.ts', "import type { Operations } from '../contracts/index.ts'"],
    ['src/limit/limits.ts', "import { x } from '../kernel/limit/index.ts'"],
    ['src/limit/http/guard.ts', "import type { X } from '../../contracts/limits.ts'"],
    ['src/cli/local/check.ts', "import { x } from '../../limit/index.ts'"],
    ['src/cli/local/up.ts', "import { x } from '../../server/launch/index.ts'"],
    [
      'src/capabilities/edge/view.ts',
      "const text = \"import { x } from '../../server/a.ts'\" // import './b.ts'",
    ],
  ])('%s may: %s', (path, statement) => {
    expect(judge(path, statement)).toBeNull()
  })

  test('a circle through a type is found', () => {
    const first = importsOf(parse('src/kernel/std/a.ts', "import type { B } from './b.ts'"))
    const second = importsOf(parse('src/kernel/std/b.ts', "import { a } from './a.ts'"))
    expect(findCircle([...first, ...second])).toEqual([
      'src/kernel/std/a.ts',
      'src/kernel/std/b.ts',
      'src/kernel/std/a.ts',
    ])
    expect(findCircle(first)).toBeNull()
  })
})
