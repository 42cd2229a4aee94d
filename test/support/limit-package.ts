import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../architecture/sources.ts'

const execute = promisify(execFile)

async function majorOf(program: string): Promise<number> {
  try {
    const { stdout } = await execute(program, ['--version'])
    return Number(/^v(\d+)/.exec(stdout)?.[1] ?? 0)
  } catch {
    return 0
  }
}

/** The oldest Node from 20 on that this machine has: the system's own, beside the pinned one. */
export async function findOldNode(): Promise<string> {
  let [oldest, least] = [process.execPath, await majorOf(process.execPath)]
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const program = join(folder, 'node')
    const major = await majorOf(program)
    if (major >= 20 && major < least) [oldest, least] = [program, major]
  }
  return oldest
}

/** Builds `holdfast-limit`, packs it and unpacks it below `project`, as npm would install it. */
export async function installLimit(project: string): Promise<void> {
  // Each in a folder of its own, since tests run at the same time.
  const built = join(project, 'built')
  const [script, target] = [join(root, 'scripts', 'build-limit.mjs'), built].map((each) =>
    JSON.stringify(each),
  )
  const build = `const { buildLimit } = await import(${script}); await buildLimit(${target})`
  await execute(process.execPath, ['--input-type=module', '-e', build], { cwd: root })
  const { stdout } = await execute('npm', ['pack', '--json', '--pack-destination', project, built])
  const [{ filename } = { filename: '' }] = JSON.parse(stdout) as readonly { readonly filename: string }[]
  const installed = join(project, 'node_modules', 'holdfast-limit')
  await mkdir(installed, { recursive: true })
  await execute('tar', ['-xzf', join(project, filename), '-C', installed, '--strip-components=1'])
}
