import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from '../architecture/sources.ts'

const execute = promisify(execFile)
const modules = join(root, 'node_modules')

let project = ''

/** Runs a program in the project of somebody who installed the package. */
async function run(
  program: string,
  args: readonly string[],
): Promise<{ readonly stdout: string; readonly code: number }> {
  const env = { PATH: process.env['PATH'], HOME: project, NO_COLOR: '1' }
  try {
    const { stdout } = await execute(program, args, { cwd: project, env })
    return { stdout, code: 0 }
  } catch (error) {
    const { stdout, code } = error as { readonly stdout: string; readonly code: number }
    return { stdout, code }
  }
}

const holdfast = (...args: readonly string[]) => run(join(project, 'node_modules', '.bin', 'holdfast'), args)

/** The project's node_modules: the packed package, and what it depends on from ours, so that no network is needed. */
async function installPacked(tarball: string): Promise<void> {
  const installed = join(project, 'node_modules')
  await mkdir(join(installed, '.bin'), { recursive: true })
  await mkdir(join(installed, 'holdfast'))
  await execute('tar', ['-xzf', tarball, '-C', join(installed, 'holdfast'), '--strip-components=1'])
  await symlink('../holdfast/bin/holdfast', join(installed, '.bin', 'holdfast'))
  await symlink(join(modules, '.bin', 'node'), join(installed, '.bin', 'node'))
  // Node looks for a package's own dependencies beside it first.
  await symlink(modules, join(installed, 'holdfast', 'node_modules'))
}

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'holdfast-package-'))
  await execute(process.execPath, [join(root, 'scripts', 'build.mjs')], { cwd: root })
  const packed = await execute(
    'npm',
    ['pack', '--json', '--pack-destination', project, join(root, 'dist', 'package')],
    {
      cwd: root,
    },
  )
  const [{ filename } = { filename: '' }] = JSON.parse(packed.stdout) as readonly {
    readonly filename: string
  }[]
  await installPacked(join(project, filename))
}, 300_000)

afterAll(() => rm(project, { recursive: true, force: true }))

describe('the published package', () => {
  test('brings the launcher, built code, types, the console, and no source or test', () => {
    const at = (...path: readonly string[]) => existsSync(join(project, 'node_modules', 'holdfast', ...path))
    expect(at('bin', 'holdfast')).toBe(true)
    expect(at('src', 'index.js')).toBe(true)
    expect(at('src', 'index.d.ts')).toBe(true)
    expect(at('dist', 'console', 'index.html')).toBe(true)
    expect(at('src', 'cli', 'run.ts')).toBe(false)
    expect(at('src', 'cli', 'run.test.js')).toBe(false)
  })

  test('starts with the Node of the system, however old, and says its version', async () => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
    expect(await holdfast('--version')).toEqual({ stdout: `${version}\n`, code: 0 })
  })

  test('init writes a file that check finds good', async () => {
    await writeFile(join(project, 'server.js'), '')
    const written = await holdfast('init', '--yes', '--name', 'shop', '--command', 'node server.js')
    expect(written).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('next: npx holdfast up') as string,
    })
    const checked = await holdfast('check', '--json')
    expect(checked.code).toBe(0)
    expect(JSON.parse(checked.stdout)).toMatchObject({ ok: true, name: 'shop', services: ['web'] })
  })

  test('check refuses a wrong file with exit code 78', async () => {
    const file = join(project, 'wrong.config.ts')
    await writeFile(
      file,
      "import { defineEnvironment } from 'holdfast'\nexport default defineEnvironment({ nam: 'x' })\n",
    )
    expect((await holdfast('check', 'wrong.config.ts')).code).toBe(78)
  })
})
