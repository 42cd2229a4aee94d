import { readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { filesBelow, root } from '../architecture/sources.ts'

/** A fenced block of a page. */
export interface Block {
  readonly page: string
  readonly line: number
  /** `ts`, `sh`, ... */
  readonly language: string
  /** What follows the language: `run`, `file=shop.py`, `fragment`. */
  readonly tag: string
  readonly text: string
}

/** A page, read. */
export interface Page {
  readonly path: string
  readonly text: string
}

/** Every page that people read: at the top, in docs, and in the rooms. */
export function allPages(): readonly Page[] {
  const top = filesBelow('.', /^[A-Z]+\.md$/)
  const deep = ['docs', 'src', 'examples'].flatMap((folder) => filesBelow(folder, /\.md$/))
  return [...top, ...deep].map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}

/** The fenced blocks of a page; a block in a list loses its indentation. */
export function blocksOf({ path, text }: Page): readonly Block[] {
  const lines = text.split('\n')
  const blocks: Block[] = []
  for (let index = 0; index < lines.length; index++) {
    const open = /^(\s*)```(\w+)[ ]?(.*)$/.exec(lines[index] ?? '')
    if (open === null) continue
    const [, indent = '', language = '', tag = ''] = open
    const end = lines.findIndex((line, at) => at > index && line.trim() === '```')
    const body = lines
      .slice(index + 1, end)
      .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line))
    blocks.push({ page: path, line: index + 1, language, tag: tag.trim(), text: `${body.join('\n')}\n` })
    index = end
  }
  return blocks
}

/** Text outside of fenced blocks and code spans. */
function proseOf(text: string): string {
  return text.replace(/^(\s*)```[\s\S]*?^\1```$/gm, '').replace(/`[^`\n]*`/g, '')
}

/** How a heading is linked to. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/`/g, '')
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-')
}

function anchorsOf(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(/^#+\s+(.+)$/gm)].map((match) => anchorOf(match[1] ?? '')))
}

/** The links of a page that lead nowhere; `read` gives a file's text, or null. Links to other sites are not followed. */
export function brokenLinks(page: Page, read: (path: string) => string | null): readonly string[] {
  const targets = [...proseOf(page.text).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '')
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [file = '', anchor] = target.split('#')
      const path = file === '' ? page.path : posix.normalize(posix.join(dirname(page.path), file))
      const text = read(path)
      return text === null || (anchor !== undefined && path.endsWith('.md') && !anchorsOf(text).has(anchor))
    })
    .map((target) => `${page.path}: ${target}`)
}

/** The command lines of a shell block that call holdfast, without prompts, comments, variables and redirections. */
export function holdfastCalls(text: string): readonly (readonly string[])[] {
  return text
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .flatMap((line) => {
      const call = /^\s*(?:[A-Z_]+=\S+ )*(?:bin\/holdfast|npx holdfast|holdfast) (.+)$/.exec(line)?.[1]
      const bare = call?.replace(/ (?:>|\||#|&&|2>).*$/, '')
      return bare === undefined ? [] : [wordsOf(bare)]
    })
}

function wordsOf(line: string): readonly string[] {
  return (line.match(/"[^"]*"|'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^(["'])(.*)\1$/s, '$2'))
}
