import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { root } from '../architecture/sources.ts'
import { blocksOf, type Block } from '../docs/markdown.ts'
import { describeWith } from '../support/describe-with.ts'
import { freePort, makePlace, until } from '../support/holdfast/index.ts'
import { findOldNode, installLimit } from '../support/limit-package.ts'

const path = 'docs/guides/limit-something-in-ten-minutes.md'
const blocks = blocksOf({ path, text: readFileSync(join(root, path), 'utf8') })

let project = ''
let variables: NodeJS.ProcessEnv = {}
const ports = new Map<string, string>()
const running: ChildProcess[] = []

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'holdfast-guide-'))
  await installLimit(project)
  for (const name of ['express', 'fastify'])
    await symlink(join(root, 'node_modules', name), join(project, 'node_modules', name))
  // The system's Node comes first, as it does in anybody's shell.
  const programs = dirname(await findOldNode())
  variables = { ...process.env, PATH: `${programs}${delimiter}${process.env['PATH'] ?? ''}` }
  for (const port of ['3000', '3001']) ports.set(port, String(await freePort()))
}, 300_000)

afterAll(async () => {
  for (const child of running) {
    const ended = once(child, 'exit')
    if (child.exitCode === null && child.kill('SIGKILL')) await ended
  }
  await rm(project, { recursive: true, force: true })
})

const withPorts = (text: string): string =>
  [...ports].reduce((changed, [from, to]) => changed.replaceAll(from, to), text)

function bash(script: string, more: NodeJS.ProcessEnv = {}): string {
  const { stdout, stderr, status } = spawnSync('bash', ['-e', '-c', script], {
    cwd: project,
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...variables, ...more },
  })
  if (status !== 0) throw new Error(`${script}came: ${stdout}${stderr}`)
  return stdout
}

function textOf(isWanted: (block: Block) => boolean): string {
  const found = blocks.find(isWanted)
  if (found === undefined) throw new Error(`${path} has no such block any more`)
  return found.text
}

/** Starts what the page starts, and waits until it listens. */
async function start({ text }: Block, source: string): Promise<void> {
  const port = /(?:PORT = |port: )(\d+)/.exec(withPorts(source))?.[1] ?? ''
  const child = spawn('bash', ['-c', `exec ${text.trim()}`], {
    cwd: project,
    env: variables,
    stdio: 'inherit',
  })
  running.push(child)
  const listens = async () => (await fetch(`http://127.0.0.1:${port}/`)).status > 0
  await until(`${text.trim()} to listen`, listens)
}

/** Does what one block says; answers with what it printed. */
async function follow(block: Block, before: { said: string; source: string }): Promise<void> {
  const file = /^file=(\S+)$/.exec(block.tag)?.[1]
  if (file !== undefined) {
    before.source = block.text
    writeFileSync(join(project, file), withPorts(block.text))
  }
  if (block.tag === 'background') await start(block, before.source)
  if (block.tag === 'run') before.said = bash(withPorts(block.text))
  if (block.tag === 'expect' && before.said !== block.text)
    throw new Error(`${path}:${block.line} says\n${block.text}but it came\n${before.said}`)
}

describeWith(['curl'], 'the guide', () => {
  test('is true, word by word, in Express and Fastify', { timeout: 120_000 }, async () => {
    const before = { said: '', source: '' }
    for (const block of blocks) await follow(block, before)
    expect(blocks.filter(({ tag }) => tag === 'expect')).toHaveLength(2)
  })

  test('and behind Holdfast, and by curl', { timeout: 120_000 }, async () => {
    const place = await makePlace()
    try {
      await symlink(join(project, 'node_modules'), join(place.directory, 'node_modules'))
      place.write(
        'shop.mjs',
        textOf((block) => block.tag === 'file=shop.mjs'),
      )
      place.write(
        'holdfast.config.ts',
        textOf(({ text }) => text.includes('defineEnvironment({')),
      )
      await place.up([], { PATH: variables['PATH'] ?? '' })
      expect((await fetch(`${place.edgeUrl}/mails`, { method: 'POST' })).status).toBe(202)
      const created = JSON.parse(place.run('tokens', 'create', 'shop', '--role', 'use', '--json').out) as {
        token: string
      }
      const url = `http://127.0.0.1:${place.controlPort}`
      const answers = blocks
        .filter(({ tag }) => tag === 'holdfast')
        .map(({ text }) => bash(text, { HOLDFAST_URL: url, HOLDFAST_TOKEN: created.token }))
      expect(answers).toEqual([
        expect.stringContaining('"admitted":true'),
        expect.stringMatching(/"admitted":true.*"id":"export-7".*"cost":1/),
        '{"refunded":1}',
      ])
    } finally {
      await place.clear()
    }
  })
})
