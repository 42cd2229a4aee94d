import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { whyNot } from './trial.ts'

const canTry = process.platform === 'linux' && process.getuid?.() === 0

describe.runIf(canTry)('a user that is to run something (needs root)', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-trial-'))
    chmodSync(folder, 0o755)
    mkdirSync(join(folder, 'closed'), { mode: 0o700 })
    for (const place of ['', 'closed']) {
      writeFileSync(join(folder, place, 'program'), '#!/bin/sh\n', { mode: 0o755 })
      writeFileSync(join(folder, place, 'text'), 'x', { mode: 0o644 })
    }
    writeFileSync(join(folder, 'secret'), 'x', { mode: 0o600 })
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const user = { uid: 65_534, gid: 65_534, groups: [] }
  const attempt = (parts: { place?: string; program?: string; reads?: readonly string[] }) =>
    whyNot(user, {
      directory: join(folder, parts.place ?? ''),
      program: parts.program ?? 'sh',
      searchPath: '/usr/bin:/bin',
      reads: parts.reads ?? [],
    })

  test('can when nothing is closed to it', async () => {
    expect(await attempt({})).toBeNull()
    expect(await attempt({ program: './program', reads: ['text', join(folder, 'text')] })).toBeNull()
  })

  test.each([
    [{ place: 'closed' }, 'is closed to it'],
    [{ place: 'missing' }, 'is closed to it'],
    [{ program: 'no-such-program' }, 'may not run no-such-program'],
    [{ program: './closed/program' }, 'may not run ./closed/program'],
    [{ program: './text' }, 'may not run ./text'],
    [{ reads: ['text', 'secret'] }, 'may not read secret'],
    [{ reads: ['closed/text'] }, 'may not read closed/text'],
  ])('%j: %s', async (parts, why) => {
    expect(await attempt(parts)).toContain(why)
  })
})
