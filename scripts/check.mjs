#!/usr/bin/env node
// `npm run check`: types, lint, format, dead code and architecture, a line each. What fails shows what it said.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ensureDependencies, pinnedNode, root, runQuietly } from './setup.mjs'

const tool = (name, ...path) => join(root, 'node_modules', name, ...path)
const hasConsole = existsSync(join(root, 'src', 'console', 'tsconfig.json'))

/** In the order in which they are begun; two at a time, since each uses more than one core by itself. */
const checks = [
  ['types', tool('typescript', 'bin', 'tsc'), ['-p', root]],
  ...(hasConsole
    ? [['types of the console', tool('typescript', 'bin', 'tsc'), ['--noEmit', '-p', 'src/console']]]
    : []),
  ['lint', tool('oxlint', 'bin', 'oxlint'), ['--type-aware']],
  ['format', tool('prettier', 'bin', 'prettier.cjs'), ['--check', '--log-level', 'warn', '.']],
  ['dead code', tool('knip', 'bin', 'knip.js'), ['--no-progress']],
  [
    'architecture and style',
    tool('vitest', 'vitest.mjs'),
    ['run', '--reporter=dot', 'test/architecture.test.ts', 'test/style.test.ts'],
  ],
]

async function runCheck([name, script, args]) {
  const started = performance.now()
  const { code, output } = await runQuietly(pinnedNode(), [script, ...args])
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  process.stdout.write(`${code === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(24)} ${seconds.padStart(5)} s\n`)
  return { name, code, output }
}

async function runAll(waiting, results = []) {
  for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
    results.push(await runCheck(check))
  }
  return results
}

await ensureDependencies()
const waiting = [...checks]
const results = (await Promise.all([runAll(waiting), runAll(waiting)])).flat()
const failed = results.filter(({ code }) => code !== 0)
for (const { name, output } of failed) process.stdout.write(`\n--- ${name}\n${output.trimEnd()}\n`)
process.exitCode = failed.length === 0 ? 0 : 1
