// The second package, dist/holdfast-limit: one bundle for `import`, one for `require`, and the types of both.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pinnedNode, root, runQuietly, step } from './setup.mjs'

const source = join(root, 'src', 'limit')
/** What can be imported, by the name of its file in the bundle; `index` is the package itself. */
const entries = {
  index: 'index.ts',
  node: 'http/node.ts',
  express: 'http/express.ts',
  fastify: 'http/fastify.ts',
  hono: 'http/hono.ts',
}
/** A folder each, since a package.json in it says how its .js and .d.ts are to be read. */
const kinds = { esm: { format: 'es', type: 'module' }, cjs: { format: 'cjs', type: 'commonjs' } }

const bundler = `
const { build } = await import('vite')
const { entry, format, outDir } = JSON.parse(process.argv[1])
await build({
  configFile: false,
  logLevel: 'warn',
  build: {
    outDir,
    target: 'node20',
    minify: false,
    lib: { entry, formats: [format], fileName: (_, name) => name + '.js' },
    rollupOptions: { external: [/^node:/] },
  },
})
`

async function run(title, args) {
  const { code, output } = await step(title, () => runQuietly(pinnedNode(), args))
  if (code === 0) return
  process.stderr.write(output)
  process.exit(1)
}

/** The compiler leaves the extension of imports in declarations as it is. */
function renameImports(folder) {
  for (const name of readdirSync(folder, { recursive: true })) {
    if (!name.endsWith('.d.ts')) continue
    const file = join(folder, name)
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/(from '\.[^']*)\.ts'/g, "$1.js'"))
  }
}

function exportOf(name) {
  const types = `types/limit/${entries[name].replace(/\.ts$/, '.d.ts')}`
  return {
    import: { types: `./esm/${types}`, default: `./esm/${name}.js` },
    require: { types: `./cjs/${types}`, default: `./cjs/${name}.js` },
  }
}

function packageJson() {
  const { name, description, license, sideEffects, engines } = JSON.parse(
    readFileSync(join(source, 'package.json'), 'utf8'),
  )
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const doors = Object.keys(entries).map((each) => [each === 'index' ? '.' : `./${each}`, exportOf(each)])
  return {
    name,
    version,
    description,
    license,
    type: 'module',
    sideEffects,
    engines,
    main: './cjs/index.js',
    types: './cjs/types/limit/index.d.ts',
    exports: { ...Object.fromEntries(doors), './package.json': './package.json' },
  }
}

/** Builds it; needs the dependencies of the repository. */
export async function buildLimit(target = join(root, 'dist', 'holdfast-limit')) {
  rmSync(target, { recursive: true, force: true })
  mkdirSync(target, { recursive: true })
  const paths = Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, join(source, file)]))
  for (const [kind, { format, type }] of Object.entries(kinds)) {
    const options = JSON.stringify({ entry: paths, format, outDir: join(target, kind) })
    await run(`bundling holdfast-limit (${kind})`, ['--input-type=module', '-e', bundler, options])
    writeFileSync(join(target, kind, 'package.json'), `${JSON.stringify({ type })}\n`)
  }
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  await run('types of holdfast-limit', [
    tsc,
    '-p',
    'tsconfig.limit.json',
    '--outDir',
    join(target, 'esm', 'types'),
  ])
  renameImports(join(target, 'esm', 'types'))
  cpSync(join(target, 'esm', 'types'), join(target, 'cjs', 'types'), { recursive: true })
  cpSync(join(source, 'README.md'), join(target, 'README.md'))
  cpSync(join(root, 'LICENSE'), join(target, 'LICENSE'))
  writeFileSync(join(target, 'package.json'), `${JSON.stringify(packageJson(), null, 2)}\n`)
}
