// What every script needs first: dependencies, the pinned Node and the built console. Node 18 and newer can run this file.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Absolute path of the repository. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

const leastMajor = 24
const modules = join(root, 'node_modules')

/** Path of the Node that runs Holdfast: the one that the lock file pins, else the running one when it is new enough. */
export function pinnedNode() {
  const pinned = join(modules, '.bin', 'node')
  if (existsSync(pinned)) return pinned
  if (Number(process.versions.node.split('.')[0]) >= leastMajor) return process.execPath
  throw new Error(
    `there is no Node ${leastMajor} for ${process.platform}-${process.arch} among the dependencies, and this one is ` +
      `${process.version}: install Node ${leastMajor} or newer and try again`,
  )
}

/** What asks us to end, with the exit code that says so. */
const endings = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }
const graceMs = 2000

/** Ends with us: a program that is asked to end and does not is killed. npm finishes its work after Ctrl-C otherwise. */
function endWithUs(child) {
  let asked
  const ask = (signal) => {
    asked ??= signal
    child.kill('SIGTERM')
    setTimeout(() => child.kill('SIGKILL'), graceMs).unref()
  }
  for (const signal of Object.keys(endings)) process.on(signal, ask)
  child.on('close', () => {
    for (const signal of Object.keys(endings)) process.off(signal, ask)
    if (asked === undefined) return
    process.stderr.write(`${process.stderr.isTTY ? '\r\u001b[K' : ''}  stopped\n`)
    process.exit(endings[asked])
  })
}

/** Runs a program, keeping what it prints to show it only when it fails. It ends when we are asked to end. */
export async function runQuietly(program, args, { environment = process.env, directory = root } = {}) {
  const child = spawn(program, args, {
    cwd: directory,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  endWithUs(child)
  const said = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(chunk))
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status) => resolve(status ?? 1))
  })
  return { code, output: Buffer.concat(said).toString() }
}

/** Says what is being done, with the seconds that it took; in a terminal the line counts along. */
export async function step(title, act) {
  const started = performance.now()
  const seconds = () => `${((performance.now() - started) / 1000).toFixed(0)} s`
  const terminal = process.stderr.isTTY
  process.stderr.write(terminal ? `  ${title} …` : `  ${title} ...\n`)
  const timer = terminal
    ? setInterval(() => process.stderr.write(`\r  ${title} … ${seconds()}`), 1000)
    : undefined
  try {
    return await act()
  } finally {
    clearInterval(timer)
    if (terminal) process.stderr.write(`\r\u001b[K  ${title}: ${seconds()}\n`)
  }
}

/** Ends this process with what a failed program said. */
function giveUp(title, output) {
  process.stderr.write(`${output.trimEnd()}\n\n${title} failed; what it said is above.\n`)
  process.exit(1)
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return null
  }
}

/** Whether what lies in node_modules is what the lock file says, by npm's own record of the last installation. */
export function dependenciesAreCurrent() {
  const wanted = readJson(join(root, 'package-lock.json'))?.packages
  const installed = readJson(join(modules, '.package-lock.json'))?.packages
  if (!wanted || !installed) return false
  const same = (path) => installed[path]?.integrity === wanted[path].integrity
  const missing = Object.keys(wanted).filter((path) => path !== '' && !wanted[path].optional && !same(path))
  const strange = Object.keys(installed).filter((path) => wanted[path] === undefined || !same(path))
  return missing.length === 0 && strange.length === 0 && existsSync(join(modules, '.bin', 'vitest'))
}

/** The npm that runs us, or the one on PATH. */
function npmCommand() {
  const cli = process.env.npm_execpath
  return cli !== undefined && /npm-cli\.[cm]?js$/.test(cli) ? [process.execPath, cli] : ['npm']
}

/** Installs the dependencies that the lock file names, unless they are there. */
export async function ensureDependencies() {
  if (!dependenciesAreCurrent()) {
    const [program, ...first] = npmCommand()
    const { code, output } = await step('installing dependencies (npm ci)', () =>
      runQuietly(program, [...first, 'ci', '--no-audit', '--no-fund', '--loglevel=error']),
    )
    if (code !== 0) giveUp('npm ci', output)
  }
  try {
    pinnedNode()
  } catch (error) {
    giveUp('finding Node', error.message)
  }
}

function filesBelow(path) {
  if (!existsSync(path)) return []
  if (statSync(path).isFile()) return [path]
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesBelow(join(path, name)))
}

/** A hash of everything that the built console is made of. */
function hashOfConsole() {
  const hash = createHash('sha256')
  const sources = ['src/console', 'src/client', 'src/contracts', 'src/kernel/std', 'package-lock.json']
  for (const file of sources.flatMap((source) => filesBelow(join(root, source)))) {
    if (file.endsWith('.test.ts') || file.endsWith('.test.tsx')) continue
    hash.update(file.slice(root.length)).update('\0').update(readFileSync(file)).update('\0')
  }
  return hash.digest('hex')
}

/** Builds the console into dist/console, unless it was built from the very same sources. */
export async function ensureConsole() {
  const target = join(root, 'dist', 'console')
  const stamp = join(root, 'dist', '.console-stamp')
  if (!existsSync(join(root, 'src', 'console', 'index.html'))) return
  const hash = hashOfConsole()
  const built = existsSync(join(target, 'index.html')) && existsSync(stamp)
  if (built && readFileSync(stamp, 'utf8') === hash) return
  const fresh = join(root, 'dist', `.console-${process.pid}`)
  const vite = join(modules, 'vite', 'bin', 'vite.js')
  const config = join(root, 'src', 'console', 'vite.config.ts')
  const { code, output } = await step('building the console', () =>
    runQuietly(pinnedNode(), [
      vite,
      'build',
      '--config',
      config,
      '--outDir',
      fresh,
      '--emptyOutDir',
      '--logLevel',
      'warn',
    ]),
  )
  if (code !== 0) {
    rmSync(fresh, { recursive: true, force: true })
    giveUp('building the console', output)
  }
  rmSync(target, { recursive: true, force: true })
  renameSync(fresh, target)
  writeFileSync(stamp, hash)
}
