#!/usr/bin/env node
// `npm run build`: the publishable packages: dist/package (JavaScript and types, the built console, the launcher) and
// dist/holdfast-limit. `npm run build -- arcade [directory]`: the example with what it stands on, in dist/arcade.
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { buildArcade } from './build-arcade.mjs'
import { buildLimit } from './build-limit.mjs'
import { ensureConsole, ensureDependencies, pinnedNode, root, runQuietly, step } from './setup.mjs'

const target = join(root, 'dist', 'package')

/** What the package says of itself: the repository's package.json without what only a clone needs. */
function packageJson() {
  const { name, version, description, license, type, engines, dependencies, optionalDependencies } =
    JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return {
    name,
    version,
    description,
    license,
    type,
    engines,
    bin: { holdfast: 'bin/holdfast' },
    exports: {
      '.': { types: './src/index.d.ts', default: './src/index.js' },
      './package.json': './package.json',
    },
    dependencies,
    optionalDependencies,
  }
}

async function buildPackages() {
  await ensureConsole()
  rmSync(target, { recursive: true, force: true })
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { code, output } = await step('compiling', () =>
    runQuietly(pinnedNode(), [tsc, '-p', 'tsconfig.build.json']),
  )
  if (code !== 0) {
    process.stderr.write(output)
    process.exit(1)
  }
  mkdirSync(join(target, 'bin'), { recursive: true })
  cpSync(join(root, 'bin', 'holdfast'), join(target, 'bin', 'holdfast'))
  chmodSync(join(target, 'bin', 'holdfast'), 0o755)
  cpSync(join(root, 'dist', 'console'), join(target, 'dist', 'console'), { recursive: true })
  for (const file of ['README.md', 'LICENSE']) cpSync(join(root, file), join(target, file))
  writeFileSync(join(target, 'package.json'), `${JSON.stringify(packageJson(), null, 2)}\n`)
  await buildLimit()
  process.stdout.write(
    `built ${packageJson().version}; publish with: npm publish dist/package, npm publish dist/holdfast-limit\n`,
  )
}

const [what, where = join('dist', 'arcade')] = process.argv.slice(2)
await ensureDependencies()
if (what === 'arcade') {
  await buildArcade(resolve(root, where))
  process.stdout.write(`built the arcade: cd ${where}\n`)
} else await buildPackages()
