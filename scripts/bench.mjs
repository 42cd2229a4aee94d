#!/usr/bin/env node
// `npm run bench -- <name> [--json]`: runs bench/<name>.ts, which exports `run` and answers with figures.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ensureDependencies, pinnedNode, root } from './setup.mjs'

const folder = join(root, 'bench')
const names = existsSync(folder)
  ? readdirSync(folder)
      .filter((file) => file.endsWith('.ts') && !['harness.ts', 'bench.ts'].includes(file))
      .map((file) => file.slice(0, -3))
      .sort()
  : []

/** Prints a result; runs in the pinned Node. With --json nothing but the JSON goes to standard output. */
const script = `
import { pathToFileURL } from 'node:url'
const [file, json] = process.argv.slice(1)
if (json === 'json') console.log = console.info = console.error
const { run } = await import(file)
const result = await run()
const number = (value) => value === null || value === undefined ? '' : Number(value).toLocaleString('en', { maximumSignificantDigits: 4 })
if (json === 'json') process.stdout.write(JSON.stringify(result, null, 2) + '\\n')
else {
  console.log(result.bench)
  for (const { name, value, unit, peer, peerValue, ratio, limit } of result.figures) {
    const against = peer ? '  against ' + peer + ' ' + number(peerValue) + ', ratio ' + number(ratio) : ''
    console.log('  ' + name.padEnd(44) + number(value).padStart(14) + ' ' + unit + against + (limit ? '  [' + limit + ']' : ''))
  }
}
process.exit(0)
`

const args = process.argv.slice(2)
const [name] = args.filter((argument) => !argument.startsWith('-'))
if (name === undefined || !names.includes(name)) {
  const says = name === undefined ? 'name a bench' : `there is no bench "${name}"`
  process.stderr.write(`${says}: ${names.join(', ')}\n  npm run bench -- <name> [--json]\n`)
  process.exit(name === undefined && args.length === 0 ? 0 : 2)
}

/** The edge runs with huge pages where the kernel gives them, so whatever is measured does too, peers included. */
const tunables = [process.env.GLIBC_TUNABLES, 'glibc.malloc.hugetlb=1'].filter(Boolean).join(':')

await ensureDependencies()
const file = pathToFileURL(join(folder, `${name}.ts`)).href
const flags = ['--expose-gc', '--input-type=module', '-e', script]
const child = spawn(pinnedNode(), [...flags, file, args.includes('--json') ? 'json' : 'text'], {
  cwd: root,
  stdio: 'inherit',
  env: process.platform === 'linux' ? { ...process.env, GLIBC_TUNABLES: tunables } : process.env,
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 1
})
