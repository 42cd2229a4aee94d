import { posix } from 'node:path'
import { lineOf, walk, type Node, type Source } from './sources.ts'

/** One import, of whatever form; types count. */
export interface Import {
  readonly from: string
  readonly line: number
  /** A path below the repository, or the name of a package. */
  readonly to: string
  readonly isPackage: boolean
  readonly typeOnly: boolean
  /** `import()`: only when it is come to. */
  readonly isLazy: boolean
}

const textOf = (node: unknown): string | undefined => {
  const { type, value } = (node ?? {}) as { readonly type?: string; readonly value?: unknown }
  return type === 'Literal' && typeof value === 'string' ? value : undefined
}

/** `import type`, `export type ... from`, or nothing but `type` specifiers. */
function isTypeOnly(node: Node): boolean {
  if (node.type === 'TSImportType' || node['importKind'] === 'type' || node['exportKind'] === 'type')
    return true
  const specifiers = node['specifiers'] as readonly Node[] | undefined
  const kind = node.type === 'ImportDeclaration' ? 'importKind' : 'exportKind'
  return (
    specifiers !== undefined && specifiers.length > 0 && specifiers.every((each) => each[kind] === 'type')
  )
}

const importing = new Set([
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
  'TSImportType',
])

function packageOf(specifier: string): string {
  const parts = specifier.split('/')
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier)
}

/** Everything that a file imports, in every form that the language has. */
export function importsOf(source: Source): readonly Import[] {
  return [...walk(source.body)]
    .filter((node) => importing.has(node.type))
    .flatMap((node) => {
      const specifier = textOf(node['source']) ?? textOf(node['argument'])
      if (specifier === undefined) return []
      const isPackage = !specifier.startsWith('.')
      const to = isPackage
        ? packageOf(specifier)
        : posix.normalize(posix.join(posix.dirname(source.path), specifier))
      const line = lineOf(source, node.start)
      const isLazy = node.type === 'ImportExpression'
      return [{ from: source.path, line, to, isPackage, typeOnly: isTypeOnly(node), isLazy }]
    })
}

/** The room of a path: `kernel/std`, `capabilities/edge`, `cli/local`, `server`, `root` for src/index.ts. */
export function roomOf(path: string): string {
  const [, floor = '', room = ''] = path.split('/')
  if (/\.tsx?$/.test(floor)) return 'root'
  if (['kernel', 'capabilities', 'providers'].includes(floor)) return `${floor}/${room}`
  if (floor === 'cli' && room === 'local') return 'cli/local'
  return floor
}

type Judge = (target: string, found: Import) => boolean

const kernelRoom = /^src\/kernel\/[a-z-]+\/index\.ts$/
const isStd: Judge = (target) => target === 'src/kernel/std/index.ts'
const isStore: Judge = (target) => target === 'src/kernel/store/index.ts'
const isKernel: Judge = (target) => kernelRoom.test(target)
const isContracts: Judge = (target) => target.startsWith('src/contracts/')
const isPorts: Judge = (target) => /^src\/capabilities\/[a-z-]+\/ports\.ts$/.test(target)
const isDoor: Judge = (target) =>
  /^src\/(?:capabilities|providers)\/[a-z-]+\/(?:data-plane\/)?index\.ts$/.test(target)
const isServer: Judge = (target) => target.startsWith('src/server/')
const isClient: Judge = (target) => target.startsWith('src/client/')
const isCli: Judge = (target) => target.startsWith('src/cli/')
const isLimitEngine: Judge = (target) => target === 'src/kernel/limit/index.ts'
const isLimitPackage: Judge = (target) => target === 'src/limit/index.ts'
const kernelTypes: Judge = (target, { typeOnly }) =>
  typeOnly && /^src\/kernel\/(?:timeline|series)\/index\.ts$/.test(target)

/** Who may import whom, beside itself: DESIGN's table, with decision 0001's addition for kernel/capability. */
const table: readonly (readonly [room: RegExp, mayImport: readonly Judge[]])[] = [
  [/^kernel\/std$/, []],
  [/^kernel\/capability$/, [isStd, kernelTypes]],
  [/^kernel\/(?:timeline|series)$/, [isStd, isStore]],
  [/^kernel\//, [isStd]],
  [/^contracts$/, [isStd]],
  [/^capabilities\//, [isKernel, isContracts]],
  [/^providers\//, [isKernel, isContracts, isPorts]],
  [/^server$/, [isKernel, isContracts, isDoor]],
  [/^client$/, [(target, found) => found.typeOnly && (isStd(target, found) || isContracts(target, found))]],
  [/^limit$/, [isStd, isLimitEngine, (target, found) => found.typeOnly && isContracts(target, found)]],
  [/^cli$/, [isStd, isContracts, isClient, (target) => target === 'src/cli/local/commands.ts']],
  [/^cli\/local$/, [isKernel, isContracts, isClient, isCli, isServer, isLimitPackage]],
  [/^console$/, [isStd, isContracts, isClient]],
  [/^root$/, [isServer, isContracts]],
]

/** Packages that a room may use; a room that is not named here may use any dependency of the project. */
const packages: readonly (readonly [room: RegExp, names: readonly string[]])[] = [
  [/^kernel\//, []],
  [/^client$/, []],
  [/^limit$/, []],
  [/^contracts$/, ['zod']],
  [/^cli\/local$/, ['@clack/prompts', 'yaml', 'zod']],
  [/^cli/, []],
]

function judgePackage({ from, to }: Import): string | null {
  if (to.startsWith('node:')) return null
  if (to === 'zod' && !from.startsWith('src/contracts/') && !from.endsWith('/config.ts')) {
    return 'zod belongs into contracts/ and config.ts files'
  }
  const allowed = packages.find(([room]) => room.test(roomOf(from)))?.[1]
  return allowed === undefined || allowed.includes(to)
    ? null
    : `${roomOf(from)} may not use the package ${to}`
}

/** What is wrong with an import, or null. */
export function judgeImport(found: Import): string | null {
  if (found.isPackage) return judgePackage(found)
  const room = roomOf(found.from)
  if (!found.to.startsWith('src/'))
    return found.to.endsWith('package.json') ? null : `${found.to} is not below src/`
  if (roomOf(found.to) === room) return null
  const allowed = table.find(([name]) => name.test(room))?.[1] ?? []
  return allowed.some((judge) => judge(found.to, found)) ? null : `${room} may not import ${found.to}`
}

/** Everything that is loaded at once with a file: files below the repository, packages, modules of Node. */
export function loadedWith(file: string, imports: readonly Import[]): ReadonlySet<string> {
  const loaded = new Set([file])
  for (const at of loaded) {
    for (const { from, to, typeOnly, isLazy } of imports)
      if (from === at && !typeOnly && !isLazy) loaded.add(to)
  }
  return loaded
}

/** The files of one import circle, or null; types count. */
export function findCircle(imports: readonly Import[]): readonly string[] | null {
  const graph = new Map<string, Set<string>>()
  for (const { from, to, isPackage } of imports) {
    if (!isPackage) graph.set(from, (graph.get(from) ?? new Set()).add(to))
  }
  const done = new Set<string>()
  const visit = (file: string, trail: readonly string[]): readonly string[] | null => {
    const at = trail.indexOf(file)
    if (at >= 0) return [...trail.slice(at), file]
    if (done.has(file)) return null
    for (const next of graph.get(file) ?? []) {
      const circle = visit(next, [...trail, file])
      if (circle !== null) return circle
    }
    done.add(file)
    return null
  }
  for (const file of graph.keys()) {
    const circle = visit(file, [])
    if (circle !== null) return circle
  }
  return null
}
