import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { root } from '../architecture/sources.ts'
import { blocksOf, type Block } from '../docs/markdown.ts'
import { makePlace, type Place } from './holdfast/index.ts'

interface Scene {
  readonly path: string
  readonly place: Place
  /** Folder whose `holdfast` is ours. */
  readonly tools: string
}

/** What is different at each run: times, numbers, hashes, how wide a column is. */
function like(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{16}/g, 'HASH')
    .replaceAll(/just now|\d+ (?:ms|s|min) ago/g, 'AGO')
    .replaceAll(/(?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d/g, 'MOMENT')
    .replaceAll(/\d+(?:\.\d+)?/g, '#')
    .replaceAll(/\s+/g, ' ')
    .trim()
}

function wrong({ path }: Scene, { line, text }: Block, came: string): Error {
  return new Error(`${path}:${line}\n${text}came:\n${came}`)
}

/** Runs a block; a block that is said to be refused has to be, and what it says is the error. */
function run(scene: Scene, block: Block, script: string): string {
  const { stdout, stderr, status } = spawnSync('bash', ['-e', '-c', script], {
    cwd: scene.place.directory,
    encoding: 'utf8',
    timeout: 90_000,
    env: { ...process.env, PATH: `${scene.tools}${delimiter}${process.env['PATH'] ?? ''}`, NO_COLOR: '1' },
  })
  if (block.tag === 'refused') {
    if (status === 0) throw wrong(scene, block, stdout)
    return stderr.slice(Math.max(0, stderr.indexOf('error: ')))
  }
  if (status !== 0) throw wrong(scene, block, stdout + stderr)
  return stdout
}

async function startUp(scene: Scene, block: Block): Promise<void> {
  const screen = (await scene.place.up()).said()
  if (!screen.includes('Ctrl-C stops everything')) throw wrong(scene, block, screen)
}

/** What was printed by the last block, and the last hash of a plan that any printed. */
interface Printed {
  readonly said: string
  readonly hash: string | undefined
}

function isAsPrinted(tag: string, text: string, said: string): boolean {
  if (tag === 'expect') return said === text
  return tag !== 'like' || like(said) === like(text)
}

const aHash = /\b[0-9a-f]{16}\b/

/** Does what one block says; answers with what it printed. A plan is applied by the hash that it was printed with. */
async function follow(scene: Scene, block: Block, { said, hash }: Printed): Promise<Printed> {
  const text = block.text.replaceAll('8080', String(scene.place.edgePort))
  const file = /^file=(\S+)$/.exec(block.tag)?.[1]
  if (file !== undefined) scene.place.write(file, text)
  if (!isAsPrinted(block.tag, text, said)) throw wrong(scene, block, said)
  if (block.tag === 'background') await startUp(scene, block)
  if (!['run', 'refused'].includes(block.tag)) return { said, hash }
  const now = run(scene, block, hash === undefined ? text : text.replace(aHash, hash))
  return { said: now, hash: aHash.exec(now)?.[0] ?? hash }
}

/**
 * Follows a page word by word in a folder of its own, and stops what it started. Blocks are tagged: `file=<name>` is
 * written, `run` has to succeed, `refused` has to fail, `background` is `holdfast up`; `expect` is what the block before
 * printed, and `like` the same but for numbers, times and hashes. `skip` are commands that only make the folder.
 * Answers with the blocks that it ran. Throws at the first that does not do as the page says.
 */
export async function followPage(path: string, skip = /^mkdir /): Promise<readonly Block[]> {
  const blocks = blocksOf({ path, text: readFileSync(join(root, path), 'utf8') })
  const place = await makePlace()
  const tools = mkdtempSync(join(tmpdir(), 'holdfast-tools-'))
  symlinkSync(join(root, 'bin', 'holdfast'), join(tools, 'holdfast'))
  try {
    let printed: Printed = { said: '', hash: undefined }
    const followed = blocks.filter(({ text }) => !skip.test(text))
    for (const block of followed) printed = await follow({ path, place, tools }, block, printed)
    return followed.filter(({ tag }) => ['run', 'refused'].includes(tag))
  } finally {
    await place.clear()
    rmSync(tools, { recursive: true, force: true })
  }
}
