import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startCommand } from './start-script.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-script-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** An image with these programs beside a few of this machine, in which everybody is root. */
function imageWith(programs: Readonly<Record<string, string>>): string {
  const everywhere = { id: 'echo 0', chown: 'echo "chown $*"', stat: 'echo root' }
  for (const [name, script] of Object.entries({ ...everywhere, ...programs })) {
    writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(directory, name), 0o755)
  }
  const mkdir = execFileSync('sh', ['-c', 'command -v mkdir'], { encoding: 'utf8' }).trim()
  symlinkSync(mkdir, join(directory, 'mkdir'))
  return directory
}

function runIn(path: string): { readonly out: string; readonly err: string; readonly code: number | null } {
  const place = join(directory, 'place')
  const start = { account: 'redis', place, script: 'echo "$here $*"', args: ['a b', '*'], isContained: true }
  const [, ...rest] = startCommand(start)
  const { stdout, stderr, status } = spawnSync('/bin/sh', rest, { encoding: 'utf8', env: { PATH: path } })
  return { out: stdout.replaceAll(directory, ''), err: stderr, code: status }
}

const asAccount = (name: string): string => `account=$1; shift; echo "${name} $account"; exec "$@"`

test.each(['gosu', 'su-exec'])('in an image with %s the server becomes its account by that', (name) => {
  const { out, code } = runIn(imageWith({ [name]: asAccount(name) }))
  expect(out.split('\n')).toEqual(['chown -R redis: /place', `${name} redis`, '/place a b *', ''])
  expect(code).toBe(0)
})

test('setpriv comes first, if it can do that: the one of busybox cannot', () => {
  const busybox = imageWith({ setpriv: 'exit 1', gosu: asAccount('gosu') })
  expect(runIn(busybox).out).toContain('gosu redis')
  rmSync(directory, { recursive: true })
  directory = mkdtempSync(join(tmpdir(), 'holdfast-script-'))
  const setpriv = 'while [ "$1" != -- ]; do shift; done; shift; [ "$1" != true ] || exit 0; exec "$@"'
  const { out } = runIn(imageWith({ setpriv, gosu: asAccount('gosu') }))
  expect(out.split('\n')).toEqual(['chown -R redis: /place', '/place a b *', ''])
})

test('an image without any of them is said to be none', () => {
  const { code, err } = runIn(imageWith({}))
  expect(err).toContain('no setpriv, gosu or su-exec in this image')
  expect(code).toBe(78)
})
