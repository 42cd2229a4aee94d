import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../architecture/sources.ts'
import { blocksOf, type Block } from '../docs/markdown.ts'
import { describeWith } from '../support/describe-with.ts'
import { makePlace, type Place } from '../support/holdfast/index.ts'

const path = 'docs/tutorial.md'
const blocks = blocksOf({ path, text: readFileSync(join(root, path), 'utf8') })

/** A shell whose `holdfast` is ours, in the folder of the tutorial. */
function shell(
  place: Place,
  tools: string,
  script: string,
): { readonly out: string; readonly code: number | null } {
  const { stdout, stderr, status } = spawnSync('bash', ['-e', '-c', script], {
    cwd: place.directory,
    encoding: 'utf8',
    timeout: 90_000,
    env: { ...process.env, PATH: `${tools}${delimiter}${process.env['PATH'] ?? ''}`, NO_COLOR: '1' },
  })
  return { out: stdout + (status === 0 ? '' : stderr), code: status }
}

function fails({ line, text }: Block, came: string): Error {
  return new Error(`${path}:${line}\n${text}came:\n${came}`)
}

/** Does what one block says; `said` is what the last one printed. Throws when it does not do as the page says. */
async function follow(block: Block, said: string, { place, tools }: Scene): Promise<string> {
  const text = block.text.replaceAll('8080', String(place.edgePort))
  const file = /^file=(\S+)$/.exec(block.tag)?.[1]
  if (file !== undefined) place.write(file, text)
  if (block.tag === 'expect' && said !== text) throw fails(block, said)
  if (block.tag === 'background') {
    const screen = (await place.up()).said()
    if (!screen.includes('Ctrl-C stops everything')) throw fails(block, screen)
  }
  if (block.tag !== 'run' || text.startsWith('mkdir shop')) return said
  return run(block, text, { place, tools })
}

function run(block: Block, text: string, { place, tools }: Scene): string {
  const { out, code } = shell(place, tools, text)
  if (code !== 0) throw fails(block, out)
  // What is on PATH is called by its name, not by a path into somebody's clone.
  if (text.startsWith('holdfast init') && !out.includes('next: holdfast up')) throw fails(block, out)
  return out
}

interface Scene {
  readonly place: Place
  readonly tools: string
}

describeWith(['python3', 'curl'], 'the tutorial', () => {
  test('is true, word by word', { timeout: 300_000 }, async () => {
    const place = await makePlace()
    const tools = mkdtempSync(join(tmpdir(), 'holdfast-tools-'))
    mkdirSync(tools, { recursive: true })
    symlinkSync(join(root, 'bin', 'holdfast'), join(tools, 'holdfast'))
    try {
      let said = ''
      for (const block of blocks) said = await follow(block, said, { place, tools })
      expect(blocks.filter(({ tag }) => tag === 'run').length).toBeGreaterThan(8)
    } finally {
      await place.clear()
      rmSync(tools, { recursive: true, force: true })
    }
  })
})
