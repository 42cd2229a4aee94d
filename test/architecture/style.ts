import { basename } from 'node:path'
import { lineOf, walk, type Node, type Source } from './sources.ts'

/** A rule looks at one file and says where it is broken. */
export type Rule = (source: Source) => readonly string[]

const at = (source: Source, node: { readonly start: number }, says: string): string =>
  `${source.path}:${lineOf(source, node.start)} ${says}`

const nameOf = (node: unknown): string => {
  const { name } = (node ?? {}) as { readonly name?: unknown }
  return typeof name === 'string' ? name : ''
}

/** What a top-level statement declares, whether it is exported or not. */
function declarationOf(statement: Node): Node {
  const { declaration } = statement as { readonly declaration?: Node | null }
  return declaration ?? statement
}

/** No `let`, no empty Map or Set at the top of a module: state belongs to somebody. (A WeakMap holds what belongs to its keys.) */
export const noModuleState: Rule = (source) =>
  source.body.map(declarationOf).flatMap((node) => {
    if (node.type !== 'VariableDeclaration') return []
    if (node['kind'] !== 'const') return [at(source, node, `module-level ${String(node['kind'])}`)]
    const declarators = node['declarations'] as readonly Node[]
    return declarators.flatMap((declarator) => {
      const init = declarator['init'] as Node | null
      const grows =
        init?.type === 'NewExpression' &&
        /^(?:Map|Set)$/.test(nameOf(init['callee'])) &&
        (init['arguments'] as readonly unknown[]).length === 0
      return grows ? [at(source, node, 'module-level mutable collection')] : []
    })
  })

/** Time and randomness are ports; only kernel/std touches the machine's own. */
export const noAmbientTime: Rule = (source) => {
  if (source.path.startsWith('src/kernel/std/')) return []
  return [...walk(source.body)].flatMap((node) => {
    const callee = node['callee'] as Node | undefined
    const isNew = node.type === 'NewExpression' && nameOf(callee) === 'Date'
    if (isNew && (node['arguments'] as readonly unknown[]).length === 0)
      return [at(source, node, 'new Date()')]
    if (node.type !== 'CallExpression' || callee?.type !== 'MemberExpression') return []
    const called = `${nameOf(callee['object'])}.${nameOf(callee['property'])}`
    return ['Date.now', 'Math.random'].includes(called) ? [at(source, node, called)] : []
  })
}

const named = new Set([
  'ClassDeclaration',
  'FunctionDeclaration',
  'TSInterfaceDeclaration',
  'TSTypeAliasDeclaration',
])

const hollow = /Manager|Helper|Util(?:s|ity|ities)?(?![a-z])/
const isType = ({ type }: Node): boolean => type !== 'FunctionDeclaration'

/** Names say what a thing is: none is a Manager, Helper or Util, and no class or type ends in Service. */
export const noHollowNames: Rule = (source) => {
  const fileName = /(?:^|-)(?:manager|helpers?|utils?)(?:-|\.)/.test(basename(source.path))
    ? [`${source.path} a hollow file name`]
    : []
  const names = [...walk(source.body)]
    .filter((node) => named.has(node.type))
    .map((node) => ({ node, name: nameOf(node['id']) }))
    .filter(({ node, name }) => hollow.test(name) || (isType(node) && /.Service$/.test(name)))
  return [...fileName, ...names.map(({ node, name }) => at(source, node, `hollow name ${name}`))]
}

/** Files are in kebab-case. */
export const kebabCase: Rule = ({ path }) =>
  /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z-]+)*\.tsx?$/.test(basename(path)) ? [] : [`${path} is not kebab-case`]

/** No `export *`, no enum, no namespace, and a default export only in configuration files. */
export const plainModules: Rule = (source) =>
  source.body.flatMap((statement) => {
    if (statement.type === 'ExportAllDeclaration') return [at(source, statement, 'export *')]
    if (statement.type === 'ExportDefaultDeclaration') {
      return source.path.endsWith('.config.ts') ? [] : [at(source, statement, 'default export')]
    }
    const { type } = declarationOf(statement)
    const forbidden = ['TSEnumDeclaration', 'TSModuleDeclaration'].includes(type)
    return forbidden ? [at(source, statement, type)] : []
  })

/** Every exported declaration has a doc comment right before it. */
export const documented: Rule = (source) =>
  source.body.flatMap((statement) => {
    if (statement.type !== 'ExportNamedDeclaration' || !statement['declaration']) return []
    const explained = source.comments.some(
      ({ type, value, start, end }) =>
        type === 'Block' &&
        value.startsWith('*') &&
        start < statement.start &&
        source.text.slice(end, statement.start).trim() === '',
    )
    if (explained) return []
    const declaration = declarationOf(statement)
    const name =
      nameOf(declaration['id']) || nameOf((declaration['declarations'] as Node[] | undefined)?.[0]?.['id'])
    return [at(source, statement, `${name} has no doc comment`)]
  })

/** At most 400 lines. */
export const shortFiles: Rule = ({ path, text }) => {
  const lines = text.trimEnd().split('\n').length
  return lines > 400 ? [`${path} has ${lines} lines`] : []
}

/** A rule of lint is switched off only with a reason: `-- because`. */
export const reasonedExceptions: Rule = (source) =>
  source.comments
    .filter(({ value }) => /(?:eslint|oxlint)-disable|@ts-(?:ignore|expect-error|nocheck)/.test(value))
    .filter(({ value }) => !/ -- \S+ \S+|@ts-expect-error:? \S+ \S+/.test(value))
    .map((comment) => at(source, comment, 'a rule is switched off without a reason'))

/** In two parts, so that this file does not name them itself. */
const registries = [
  ['registry.npmjs', '.org'],
  ['npmjs', '.com'],
  ['deb.debian', '.org'],
  ['proxy.golang', '.org'],
  ['pypi', '.org'],
].map((parts) => parts.join(''))

/** No paths of somebody's machine, no hosts of package registries. For any text file. */
export function strangePlaces(path: string, text: string): readonly string[] {
  return text.split('\n').flatMap((line, index) => {
    const machine = /(?:^|[\s'"`(=])\/(?:work|root|home\/[a-z][\w-]*|Users)\/\w/.exec(line)
    const host = registries.find((each) => line.includes(each))
    if (machine === null && host === undefined) return []
    return [`${path}:${index + 1} ${machine === null ? 'host of a package registry' : 'path of a machine'}`]
  })
}

const functions = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'])

/** Lengths in lines of the functions with a body of statements. */
export function functionLengths(source: Source): readonly number[] {
  return [...walk(source.body)]
    .filter((node) => functions.has(node.type) && (node['body'] as Node | null)?.type === 'BlockStatement')
    .map((node) => lineOf(source, node.end) - lineOf(source, node.start) + 1)
}
