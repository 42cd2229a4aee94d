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

const door = new URL(`../../../index${extname(import.meta.url)}`, import.meta.url).href

type Hooks = Parameters<typeof registerHooks>[0]
type Load = NonNullable<Hooks['load']>

const isTyped = (url: string): boolean => /\.[mc]?ts$/.test(url)
const hasModuleSyntax = (source: string): boolean => /^\s*(?:export\s|import[\s{*'"])/m.test(source)

/** A file of the user's that Node takes for CommonJS, since the project says so, may be a module all the same. */
function isMistaken(url: string, format: string | null | undefined): boolean {
  return format?.startsWith('commonjs') === true && url.startsWith('file:') && !url.includes('/node_modules/')
}

function hookResolution(fileUrl: string): void {
  const load: Load = (url, context, next) => {
    const loaded = url === fileUrl ? null : next(url, context)
    if (loaded !== null && !isMistaken(url, loaded.format)) return loaded
    const source = readFileSync(fileURLToPath(url), 'utf8')
    if (loaded !== null && !hasModuleSyntax(source)) return loaded
    return { format: isTyped(url) ? 'module-typescript' : 'module', source, shortCircuit: true }
  }
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'holdfast' ? { url: door, shortCircuit: true } : next(specifier, context),
    load,
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

/** What can be said of a failure; where a syntax error of JavaScript is, only Node's own report tells. */
function describeFailure(error: unknown): { readonly failure: string; readonly stack: string } {
  if (!(error instanceof Error)) return { failure: String(error), stack: '' }
  const stack = error.stack ?? ''
  if (error instanceof SyntaxError && !/^(?:file:|\/)/.test(stack)) throw error
  return { failure: `${error.name}: ${error.message}`, stack }
}

const answer = await evaluate(process.argv[2] ?? '').catch(describeFailure)
writeFileSync(3, JSON.stringify(answer))
process.exit(0)
