import { readFileSync, writeFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { extname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/*
 * Evaluates one environment file in a process of its own, which has no secrets in its environment, and writes its
 * data as JSON to descriptor 3. `holdfast` resolves to this installation, wherever the file lies.
 */

interface Trouble {
  readonly path: string
  readonly message: string
}

/** A file of data is not nested deeper than this. */
const deepest = 20

const door = new URL(`../../index${extname(import.meta.url)}`, import.meta.url).href

function asModule(url: string): {
  format: 'module' | 'module-typescript'
  source: string
  shortCircuit: true
} {
  const typed = /\.[mc]?ts$/.test(url)
  return {
    format: typed ? 'module-typescript' : 'module',
    source: readFileSync(fileURLToPath(url), 'utf8'),
    shortCircuit: true,
  }
}

function hookResolution(fileUrl: string): void {
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'holdfast' ? { url: door, shortCircuit: true } : next(specifier, context),
    load: (url, context, next) => (url === fileUrl ? asModule(url) : next(url, context)),
  })
}

function kindOf(value: unknown): string {
  if (typeof value === 'object') return `an object of the class ${value?.constructor?.name ?? 'unknown'}`
  return `a ${typeof value}`
}

/** What is wrong with a value by itself, or null. */
function complaintAbout(value: unknown, depth: number): string | null {
  if (value === null || ['undefined', 'string', 'boolean'].includes(typeof value)) return null
  if (typeof value === 'number') {
    return Number.isFinite(value) ? null : `${value} is not a number that can be kept`
  }
  if (typeof value !== 'object' || !isPlain(value)) {
    return `this is ${kindOf(value)}; the environment file yields data only`
  }
  return depth > deepest ? 'this is nested too deeply, or contains itself' : null
}

/** What is not plain data, with its path. */
function findTrouble(value: unknown, path: readonly string[]): Trouble | null {
  const message = complaintAbout(value, path.length)
  if (message !== null) return { path: path.join('.'), message }
  if (typeof value !== 'object' || value === null) return null
  for (const [key, item] of Object.entries(value)) {
    const trouble = findTrouble(item, [...path, key])
    if (trouble !== null) return trouble
  }
  return null
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return Array.isArray(value) || prototype === Object.prototype || prototype === null
}

async function evaluate(file: string): Promise<unknown> {
  const fileUrl = pathToFileURL(file).href
  hookResolution(fileUrl)
  const loaded = (await import(fileUrl)) as { default?: unknown }
  const value = loaded.default
  if (value === undefined) {
    return {
      trouble: {
        path: '',
        message: 'the file has no default export: export default defineEnvironment({ ... })',
      },
    }
  }
  const trouble = findTrouble(value, [])
  return trouble === null ? { value } : { trouble }
}

const answer = await evaluate(process.argv[2] ?? '').catch((error: unknown) => ({
  failure: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
  stack: error instanceof Error ? (error.stack ?? '') : '',
}))
writeFileSync(3, JSON.stringify(answer))
process.exit(0)
