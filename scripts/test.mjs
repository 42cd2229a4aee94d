#!/usr/bin/env node
// `npm test`: sets up what the tests need and runs them. `npm test -- <path>` runs some of them.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ensureConsole, ensureDependencies, pinnedNode, root, runQuietly, step } from './setup.mjs'

/** Tells Debian's packages not to start what they install. */
const policyFile = '/usr/sbin/policy-rc.d'

async function findMissing() {
  const declaration = pathToFileURL(join(root, 'test', 'support', 'programs.ts')).href
  const script = `import { missingPrograms } from '${declaration}'; console.log(JSON.stringify(missingPrograms()))`
  const { code, output } = await runQuietly(pinnedNode(), ['--input-type=module', '-e', script])
  if (code !== 0) throw new Error(output)
  return JSON.parse(output)
}

async function install(packages) {
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const hadPolicy = existsSync(policyFile)
  if (!hadPolicy) writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    await step('reading the lists of packages (apt-get update)', () =>
      runQuietly('apt-get', ['update', '-q'], { environment }),
    )
    const { code, output } = await step(`installing ${packages.join(', ')}`, () =>
      runQuietly('apt-get', ['install', '-qy', '--no-install-recommends', ...packages], { environment }),
    )
    if (code !== 0) process.stderr.write(`${output.trimEnd().split('\n').slice(-5).join('\n')}\n`)
  } finally {
    if (!hadPolicy) rmSync(policyFile, { force: true })
  }
}

/** Lists the programs that are missing, and installs them where that is ours to do. */
async function ensurePrograms() {
  const missing = await findMissing()
  if (missing.length === 0) return
  const packages = missing.map((program) => program.package)
  process.stderr.write(`  missing for some tests: ${packages.join(', ')}\n`)
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) await install(packages)
  const still = await findMissing()
  const end = process.env.CI === 'true' ? 'fail' : 'are skipped'
  if (still.length > 0) {
    process.stderr.write(`  tests that need ${still.map(({ name }) => name).join(', ')} ${end}\n`)
  }
}

function runTests(args, summary) {
  const path = `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}`
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${summary}`]
  const child = spawn(pinnedNode(), [vitest, 'run', ...reporters, ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: path },
  })
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(signal === null ? (code ?? 1) : 1))
  })
}

/** Counts tests; a file that could not even be read counts as one failed test, so that zero means zero. */
function count(summary, code) {
  if (!existsSync(summary)) return { passed: 0, failed: 1, skipped: 0 }
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
    readFileSync(summary, 'utf8'),
  )
  const unreadable = testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((result) => result.status === 'failed'),
  )
  const failed = numFailedTests + unreadable.length
  return {
    passed: numPassedTests,
    failed: failed === 0 && code !== 0 ? 1 : failed,
    skipped: numPendingTests + numTodoTests,
  }
}

await ensureDependencies()
await ensureConsole()
await ensurePrograms()
const folder = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
try {
  const summary = join(folder, 'summary.json')
  const code = await runTests(process.argv.slice(2), summary)
  const { passed, failed, skipped } = count(summary, code)
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`)
  process.exitCode = failed > 0 ? 1 : code
} finally {
  rmSync(folder, { recursive: true, force: true })
}
