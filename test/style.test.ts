import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { allSources, filesBelow, isProduct, parse, root } from './architecture/sources.ts'
import {
  documented,
  functionLengths,
  kebabCase,
  noAmbientTime,
  noHollowNames,
  noModuleState,
  plainModules,
  reasonedExceptions,
  shortFiles,
  strangePlaces,
  type Rule,
} from './architecture/style.ts'

const sources = allSources()
const product = sources.filter(({ path }) => isProduct(path))
const others = ['test', 'scripts', 'bench', 'examples']
  .filter((folder) => filesBelow('.', /./).some((path) => path.startsWith(`${folder}/`)))
  .flatMap((folder) => filesBelow(folder, /\.(?:ts|tsx|mjs)$/))

/** Every rule with a text that breaks it, so that it is known to be able to fail. */
const rules: readonly (readonly [name: string, rule: Rule, path: string, broken: string])[] = [
  ['no module state', noModuleState, 'src/a.ts', 'let count = 0'],
  ['no module collections', noModuleState, 'src/a.ts', 'export const seen = new Map<string, number>()'],
  ['no ambient time', noAmbientTime, 'src/a.ts', 'const f = () => Date.now()'],
  ['no ambient dates', noAmbientTime, 'src/a.ts', 'const f = () => new Date()'],
  ['no ambient randomness', noAmbientTime, 'src/a.ts', 'const f = () => Math.random()'],
  ['no hollow names', noHollowNames, 'src/a.ts', 'class JobManager {}'],
  ['no services', noHollowNames, 'src/a.ts', 'interface LimitService {}'],
  ['no hollow files', noHollowNames, 'src/string-utils.ts', ''],
  ['kebab-case', kebabCase, 'src/fooBar.ts', ''],
  ['no export *', plainModules, 'src/a.ts', "export * from './b.ts'"],
  ['no enum', plainModules, 'src/a.ts', 'export enum Colour { Red }'],
  ['no default export', plainModules, 'src/a.ts', 'export default 1'],
  ['doc comments', documented, 'src/a.ts', '// not one\nexport function f() {}'],
  ['short files', shortFiles, 'src/a.ts', 'f()\n'.repeat(401)],
  ['reasons for exceptions', reasonedExceptions, 'src/a.ts', '// eslint-disable-next-line no-console\nf()'],
]

describe('the house style', () => {
  test.each(rules)('%s', (_, rule) => {
    expect(product.flatMap(rule)).toEqual([])
  })

  test.each(rules)('%s can fail', (...[, rule, path, broken]) => {
    expect(rule(parse(path, broken))).not.toEqual([])
  })

  test('rules are not fooled by texts and comments', () => {
    const text =
      "/** A text. */\nexport const text = 'let x = Date.now()' // Math.random() new Date() export *\n"
    for (const [, rule] of rules) expect(rule(parse('src/a.ts', text))).toEqual([])
  })

  test('tests, scripts and benches are short, in kebab-case and give reasons', () => {
    const files = [...others, ...sources.map(({ path }) => path).filter((path) => !isProduct(path))]
    const parsed = files.filter((path) => !path.endsWith('.mjs')).map((path) => parse(path))
    expect(parsed.flatMap((source) => [...shortFiles(source), ...kebabCase(source)])).toEqual([])
    expect(parsed.flatMap(reasonedExceptions)).toEqual([])
  })

  test('nobody names a machine or a package registry', () => {
    const texts = filesBelow('.', /\.(?:ts|tsx|mjs|md|json|css|html|toml)$/).filter(
      (path) => path !== 'package-lock.json',
    )
    expect(texts.flatMap((path) => strangePlaces(path, readFileSync(join(root, path), 'utf8')))).toEqual([])
    expect(strangePlaces('a.md', ['see "', 'home', 'ada', 'project"'].join('/'))).toHaveLength(1)
    expect(strangePlaces('a.md', ['https://registry', 'npmjs', 'org/holdfast'].join('.'))).toHaveLength(1)
  })

  test('functions are short: the median is about ten lines', () => {
    const lengths = product.flatMap(functionLengths).sort((a, b) => a - b)
    expect(lengths.length).toBeGreaterThan(100)
    expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThanOrEqual(12)
  })
})
