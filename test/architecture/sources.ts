import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'vite'

/** A node of a syntax tree (ESTree with TypeScript's additions). */
export interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

/** A comment, without its marks. */
export interface Comment {
  readonly type: 'Line' | 'Block'
  readonly value: string
  readonly start: number
  readonly end: number
}

/** A source file, read and parsed. */
export interface Source {
  /** Relative to the repository, with slashes. */
  readonly path: string
  readonly text: string
  readonly body: readonly Node[]
  readonly comments: readonly Comment[]
}

/** The repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

const skipped = new Set(['node_modules', 'dist', '.git', '.holdfast', '.cache', 'coverage'])

/** Files below a folder of the repository whose path fits; relative, sorted. */
export function filesBelow(folder: string, fits: RegExp): readonly string[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true })
  return entries
    .filter(({ name }) => !skipped.has(name))
    .flatMap((entry) => {
      const path = folder === '.' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory()) return filesBelow(path, fits)
      return fits.test(path) ? [path] : []
    })
    .sort()
}

/** Parses one file, whose text may be given (for proofs that a rule can fail). */
export function parse(path: string, text = readFileSync(join(root, path), 'utf8')): Source {
  const { program, comments, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`)
  return {
    path,
    text,
    body: program.body as unknown as readonly Node[],
    comments,
  }
}

/** Whether a file is part of the product, not a test of it. */
export function isProduct(path: string): boolean {
  return !/\.(?:test|test-[a-z]+|conformance)\.tsx?$/.test(path) && !/\/(?:testing|fixtures)\//.test(path)
}

/** Every source file below src/. */
export function allSources(): readonly Source[] {
  return filesBelow('src', /\.tsx?$/)
    .filter((path) => !path.endsWith('.d.ts'))
    .map((path) => parse(path))
}

/** The line of a position, from 1. */
export function lineOf({ text }: Source, position: number): number {
  return text.slice(0, position).split('\n').length
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'
}

/** Every node below and including these, in the order of the text. */
export function* walk(nodes: readonly unknown[]): Generator<Node> {
  for (const node of nodes) {
    if (Array.isArray(node)) yield* walk(node)
    if (!isNode(node)) continue
    yield node
    yield* walk(Object.values(node))
  }
}
