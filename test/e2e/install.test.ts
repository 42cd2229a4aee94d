import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { makePlace, mustRun, type Place } from '../support/holdfast/index.ts'
import { processesWith } from '../support/holdfast/left.ts'
import { describeWith } from '../support/describe-with.ts'

const origin = join(import.meta.dirname, '..', 'support', 'holdfast', 'origin.mjs')

const places: Place[] = []
const folders: string[] = []
afterEach(async () => {
  for (const place of places.splice(0)) await place.clear()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

async function makeHere(name: string): Promise<Place> {
  const here = await makePlace()
  places.push(here)
  chmodSync(here.directory, 0o755)
  const environment = {
    name,
    services: { web: { command: [process.execPath, origin], health: '/healthz', stopTimeout: '90s' } },
    edge: { listen: [{ port: here.edgePort }], routes: { '/*': { to: 'web', limit: '1000/s' } } },
    control: { port: here.controlPort },
  }
  here.write('holdfast.config.ts', `export default ${JSON.stringify(environment)}\n`)
  return here
}

function makeRoot(): string {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-root-'))
  folders.push(root)
  mkdirSync(join(root, 'etc/systemd/system'), { recursive: true })
  return root
}

/** Everything below some directories, and every control group and entry of /tmp that is named after us. */
function listing(...directories: readonly string[]): readonly string[] {
  const below = directories.flatMap((directory) => readdirSync(directory, { recursive: true }).map(String))
  const temporary = readdirSync(tmpdir()).filter((name) => /^holdfast-(?:edge-)?[0-9a-f]{12}$/.test(name))
  const found = spawnSync('find', ['/sys/fs/cgroup', '-type', 'd', '-name', 'holdfast-*'], {
    encoding: 'utf8',
  })
  const groups = found.stdout.split('\n').filter((path) => processesWith(path).length === 0)
  const accounts = readFileSync('/etc/passwd', 'utf8')
  return [...below, ...temporary, ...groups, accounts].sort()
}

test(
  'writes a unit, runs what it says, and leaves nothing when it is taken away',
  { timeout: 90_000 },
  async () => {
    const here = await makeHere('lasting')
    const root = makeRoot()
    const before = listing(root, here.directory)
    const installed = here.run('install', '--root', root)
    expect(installed).toMatchObject({ code: 0 })
    expect(installed.out).toContain('systemctl enable --now holdfast-lasting.service')
    const text = readFileSync(join(root, 'etc/systemd/system/holdfast-lasting.service'), 'utf8')
    expect(text).toContain('TimeoutStopSec=110')
    const command = (/^ExecStart=(.*)$/m.exec(text)?.[1] ?? '').split(' ')
    expect(command.slice(0, 3)).toEqual([
      process.execPath,
      expect.stringMatching(/src\/cli\/main\.ts$/),
      'up',
    ])
    // As systemd would: its words, in its working directory; the other words of `up` belong to the test.
    mustRun(await here.up(command.slice(3)))
    expect(here.run('status')).toMatchObject({ code: 0 })
    const refused = here.run('uninstall', '--purge', '--root', root)
    expect(refused).toMatchObject({
      code: 64,
      err: expect.stringContaining('--yes-destroy lasting') as string,
    })
    const removed = here.run('uninstall', '--purge', '--yes-destroy', 'lasting', '--root', root)
    expect(removed).toMatchObject({ code: 0 })
    expect(processesWith(here.directory)).toEqual([])
    expect(listing(root, here.directory)).toEqual(before)
  },
)

test('says what it would write, and refuses what it cannot take away', { timeout: 60_000 }, async () => {
  const here = await makeHere('printed')
  const root = makeRoot()
  const before = listing(root, here.directory)
  const printed = here.run('install', '--print')
  expect(printed).toMatchObject({ code: 0, out: expect.stringContaining('KillMode=process') as string })
  expect(here.run('uninstall', '--root', root)).toMatchObject({ code: 66 })
  expect(listing(root, here.directory)).toEqual(before)
})

test(
  'an up that attaches stays with what runs, and stops it when it is told to',
  { timeout: 90_000 },
  async () => {
    const here = await makeHere('attached')
    const first = await here.up()
    mustRun(first)
    first.process.kill('SIGKILL')
    await first.ended
    expect(here.run('up').err).toContain('already runs')
    const second = here.call('up', '--attach')
    await new Promise((soon) => setTimeout(soon, 1500))
    expect(here.run('down')).toMatchObject({ code: 0 })
    expect(await second).toMatchObject({ code: 0, out: expect.stringContaining('runs on') as string })
  },
)

describeWith(['systemd-analyze'], 'systemd', (paths) => {
  test('understands the unit', { timeout: 60_000 }, async () => {
    const here = await makeHere('verified')
    const root = makeRoot()
    expect(here.run('install', '--root', root)).toMatchObject({ code: 0 })
    const unit = join(root, 'etc/systemd/system/holdfast-verified.service')
    const verified = spawnSync(paths['systemd-analyze'], ['verify', '--man=no', unit], { encoding: 'utf8' })
    const about = verified.stderr.split('\n').filter((line) => line.includes('holdfast-verified'))
    expect(about).toEqual([])
  })
})
