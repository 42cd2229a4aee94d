import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { referencePages } from '../scripts/reference/pages.ts'
import { takeFlags, parseArguments } from '../src/cli/arguments/index.ts'
import { commandTable, findCommand, globalFlags } from '../src/cli/commands/index.ts'
import { errorCatalogue, factCatalogue } from '../src/contracts/index.ts'
import { parseLimit } from '../src/kernel/limit/index.ts'
import { loadEnvironment } from '../src/server/composition/index.ts'
import { filesBelow, isProduct, root } from './architecture/sources.ts'
import { allPages, blocksOf, brokenLinks, holdfastCalls } from './docs/markdown.ts'

const pages = allPages()
const blocks = pages.flatMap(blocksOf)
const guides = blocks.filter(({ page }) => !page.startsWith('src/'))
const table = commandTable()

function parseCall(argv: readonly string[]): void {
  const { values, rest } = takeFlags(argv, globalFlags, 0)
  if (rest[0] === 'help' || rest.length === 0 || values['help'] === true) return
  const { command, rest: words } = findCommand(rest, table)
  parseArguments(words, { ...command, command: command.words }, 0)
}

describe('pages', () => {
  test('link only to what is there', () => {
    const read = (path: string): string | null => {
      const file = join(root, path)
      if (!existsSync(file)) return null
      return statSync(file).isFile() ? readFileSync(file, 'utf8') : ''
    }
    expect(pages.flatMap((page) => brokenLinks(page, read))).toEqual([])
    const page = { path: 'docs/x.md', text: '# A heading\n[a](nowhere.md) [b](#a-heading) [c](#nothing)' }
    const readNothingElse = (path: string) => (path === page.path ? page.text : null)
    expect(brokenLinks(page, readNothingElse)).toEqual(['docs/x.md: nowhere.md', 'docs/x.md: #nothing'])
  })

  test('are all reached from the index', () => {
    const index = readFileSync(join(root, 'docs/README.md'), 'utf8')
    const missing = filesBelow('docs', /\.md$/)
      .filter((path) => path !== 'docs/README.md' && !path.startsWith('docs/decisions/'))
      .filter((path) => !index.includes(`(${path.slice('docs/'.length)})`))
    expect(missing).toEqual([])
  })

  test('call holdfast as it can be called', () => {
    const calls = guides
      .filter(({ language }) => language === 'sh')
      .flatMap(({ page, text }) => holdfastCalls(text).map((argv) => ({ page, argv })))
    expect(calls.length).toBeGreaterThan(20)
    for (const { page, argv } of calls) {
      expect(() => parseCall(argv), `${page}: holdfast ${argv.join(' ')}`).not.toThrow()
    }
    expect(() => parseCall(['logs', 'web', '--lnes', '5'])).toThrow('unknown flag')
  })
})

describe('TypeScript in pages', () => {
  const typed = guides.filter(({ language, tag }) => language === 'ts' && tag !== 'fragment')

  test('type-checks', { timeout: 120_000 }, () => {
    // Below the repository, so that "holdfast" resolves to it.
    mkdirSync(join(root, '.cache'), { recursive: true })
    const folder = mkdtempSync(join(root, '.cache', 'docs-'))
    try {
      const config = { extends: '../../tsconfig.json', include: ['*.ts'], exclude: [] }
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
      typed.forEach(({ page, line, text }, index) => {
        writeFileSync(join(folder, `block-${index}.ts`), `// ${page}:${line}\n${text}`)
      })
      const { stdout } = spawnSync(process.execPath, [
        join(root, 'node_modules/typescript/bin/tsc'),
        '-p',
        folder,
      ])
      const own = stdout
        .toString()
        .split('\n')
        .filter((line) => line.includes('block-'))
      expect(own).toEqual([])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('that is an environment file is a valid one', { timeout: 120_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-docs-'))
    const environments = typed.filter(({ text }) => text.includes('export default defineEnvironment'))
    expect(environments.length).toBeGreaterThan(5)
    try {
      for (const { page, line, text } of environments) {
        const file = join(folder, 'holdfast.config.ts')
        writeFileSync(file, text)
        await expect(loadEnvironment(file), `${page}:${line}`).resolves.toBeDefined()
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('the reference', () => {
  const fresh = referencePages()
  const written = readdirSync(join(root, 'docs/reference')).sort()

  test('has the pages that it should', () => {
    expect(written).toEqual([...Object.keys(fresh), 'limits.md'].sort())
  })

  test.each(Object.keys(fresh))('%s is fresh (else: node scripts/reference.ts)', (name) => {
    expect(readFileSync(join(root, 'docs/reference', name), 'utf8')).toBe(fresh[name])
  })

  test('every example of a limit can be read', () => {
    const text = readFileSync(join(root, 'docs/reference/limits.md'), 'utf8')
    const examples = [...text.matchAll(/^\| `([^`]+)` +\|/gm)].map((match) => match[1] ?? '')
    expect(examples.length).toBeGreaterThan(7)
    expect(examples.map((example) => parseLimit(example).count).every((count) => count > 0)).toBe(true)
  })
})

describe('what may go wrong and what may happen', () => {
  const texts = filesBelow('src', /\.tsx?$/)
    .filter((path) => isProduct(path) && path !== 'src/contracts/errors.ts')
    .map((path) => readFileSync(join(root, path), 'utf8'))
  const known = new Set(errorCatalogue.map(({ code }) => code))

  test('every error code that the code uses is in the catalogue', () => {
    const used = texts.flatMap((text) =>
      [...text.matchAll(/\bcode: '([a-z]+\.[a-z-]+)'/g)].map((match) => match[1]),
    )
    expect(used.length).toBeGreaterThan(20)
    expect([...new Set(used)].filter((code) => code === undefined || !known.has(code))).toEqual([])
  })

  test('every error code in the catalogue is used', () => {
    expect([...known].filter((code) => !texts.some((text) => text.includes(`'${code}'`)))).toEqual([])
  })

  test('the catalogue is sorted and names no code twice', () => {
    const codes = errorCatalogue.map(({ code }) => code)
    expect(codes).toEqual([...new Set(codes)].sort())
  })

  test('every kind of fact is documented, once, in the past tense of a room', () => {
    const kinds = factCatalogue.map(({ kind }) => kind)
    expect(new Set(kinds).size).toBe(kinds.length)
    for (const kind of kinds) expect(kind).toMatch(/^[a-z]+\.[a-z-]+$/)
  })

  test('a fact says only fields that it has', () => {
    const shapes = factCatalogue.map(({ kind, says, data }) => {
      const { shape } = data as unknown as { readonly shape: Readonly<Record<string, unknown>> }
      const named = [...says.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '')
      return { kind, missing: named.filter((field) => field !== 'actor' && !(field in shape)) }
    })
    expect(shapes.filter(({ missing }) => missing.length > 0)).toEqual([])
  })
})
