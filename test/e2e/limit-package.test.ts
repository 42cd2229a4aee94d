import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from '../architecture/sources.ts'
import { findOldNode, installLimit } from '../support/limit-package.ts'

const execute = promisify(execFile)

let project = ''
/** The oldest Node from 20 on that this machine has: the system's own, beside the pinned one. */
let oldNode = process.execPath

async function runFile(name: string, text: string): Promise<string> {
  const file = join(project, name)
  await writeFile(file, text)
  const { stdout } = await execute(oldNode, [file], { cwd: project })
  return stdout
}

const installed = (...path: readonly string[]) => join(project, 'node_modules', 'holdfast-limit', ...path)

beforeAll(async () => {
  oldNode = await findOldNode()
  project = await mkdtemp(join(tmpdir(), 'holdfast-limit-package-'))
  await installLimit(project)
}, 300_000)

afterAll(() => rm(project, { recursive: true, force: true }))

const takeTwice = `
const limits = createLimits({ 'email.send': ['1/hour per user', '10 in any day', '9/day resets 00:00 Europe/Vienna'], run: '1 at once' })
const answers = [limits.takeNow('email.send', { user: 42 }), limits.takeNow('email.send', { user: 42 })]
limits.reserve('run', {}).then(async (held) => {
  const second = await limits.reserve('run', {})
  await held.commit()
  await limits.close()
  console.log(JSON.stringify([...answers, held, second].map(({ admitted }) => admitted)))
})
`
const said = '[true,false,true,false]\n'

const serve = `
const server = createServer(limitHttp(limits, { '/*': 'api' })((request, response) => response.end('ok')))
server.listen(0, '127.0.0.1', async () => {
  const { port } = server.address()
  const answers = []
  for (let number = 0; number < 2; number++) answers.push((await fetch('http://127.0.0.1:' + port)).status)
  console.log(JSON.stringify(answers))
  server.close()
  server.closeAllConnections()
})
`

describe('holdfast-limit, packed', () => {
  test('has no dependency, and neither zod nor anything newer than Node 20 in it', () => {
    const { dependencies, engines, version } = JSON.parse(
      readFileSync(installed('package.json'), 'utf8'),
    ) as {
      readonly dependencies?: unknown
      readonly engines: unknown
      readonly version: unknown
    }
    expect([dependencies, engines]).toEqual([undefined, { node: '>=20' }])
    const versions = ['package.json', 'src/limit/package.json'].map(
      (path) => (JSON.parse(readFileSync(join(root, path), 'utf8')) as { readonly version: string }).version,
    )
    expect(versions).toEqual([version, version])
    const scripts = ['esm', 'cjs'].flatMap((kind) =>
      readdirSync(installed(kind))
        .filter((name) => /\.c?js$/.test(name))
        .map((name) => readFileSync(installed(kind, name), 'utf8')),
    )
    const specifiers = scripts.flatMap((text) =>
      [...text.matchAll(/(?:\bfrom |\bimport |require\()\s*["']([^"'.][^"']*)["']/g)].map(
        (match) => match[1],
      ),
    )
    expect(specifiers.length).toBeGreaterThan(5)
    expect(specifiers.filter((name) => name?.startsWith('node:') !== true)).toEqual([])
    for (const newer of [
      'zod',
      'withResolvers',
      'fromAsync',
      'Promise.try',
      'RegExp.escape',
      'isSubsetOf(',
    ]) {
      expect(scripts.filter((text) => text.includes(newer))).toEqual([])
    }
  })

  test('works with import', async () => {
    const text = `import { createLimits } from 'holdfast-limit'\n${takeTwice}`
    expect(await runFile('take.mjs', text)).toBe(said)
  })

  test('works with require, in strict mode', async () => {
    const text = `'use strict'\nconst { createLimits } = require('holdfast-limit')\n${takeTwice}`
    expect(await runFile('take.cjs', text)).toBe(said)
  })

  test('its doors for frameworks work with both, and share the limits', async () => {
    const esm = `import { createServer } from 'node:http'
import { createLimits } from 'holdfast-limit'
import { limitHttp } from 'holdfast-limit/node'
const limits = createLimits({ api: '1/min per ip' })${serve}`
    expect(await runFile('serve.mjs', esm)).toBe('[200,429]\n')
    const cjs = `'use strict'
const { createServer } = require('node:http')
const { createLimits } = require('holdfast-limit')
const { limitHttp } = require('holdfast-limit/node')
for (const door of ['express', 'fastify', 'hono']) require('holdfast-limit/' + door)
const limits = createLimits({ api: '1/min per ip' })${serve}`
    expect(await runFile('serve.cjs', cjs)).toBe('[200,429]\n')
  })

  test('has types for both', { timeout: 120_000 }, async () => {
    const use = `
const limits = createLimits({ 'email.send': '20/hour per user' })
export const verdict: Promise<Verdict> = limits.take('email.send', { user: 42 })
export const middleware = limitExpress(limits, { 'POST /mails': 'email.send' }, { by: { user: () => '42' } })
// @ts-expect-error -- there is no limit of that name
limits.takeNow('email.sent', {})
`
    const head = `import { createLimits, type Verdict } from 'holdfast-limit'\nimport { limitExpress } from 'holdfast-limit/express'\n`
    await writeFile(join(project, 'use.mts'), head + use)
    await writeFile(join(project, 'use.cts'), head + use)
    await symlink(join(root, 'node_modules', '@types'), join(project, 'node_modules', '@types'))
    const compilerOptions = {
      module: 'node16',
      strict: true,
      noEmit: true,
      types: ['node'],
      skipLibCheck: false,
      target: 'es2023',
    }
    await writeFile(
      join(project, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, files: ['use.mts', 'use.cts'] }),
    )
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    const { stdout } = await execute(process.execPath, [tsc, '-p', project]).catch(
      (error: unknown) => error as { stdout: string },
    )
    // Those of other packages are not ours to judge.
    expect(
      stdout.split('\n').filter((line) => line.includes('use.') || line.includes('holdfast-limit')),
    ).toEqual([])
  })
})
