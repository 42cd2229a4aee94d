import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RebuildResult } from '../src/contracts/index.ts'
import { median, type BenchResult, type Figure } from './harness.ts'

const root = join(import.meta.dirname, '..')
const rounds = 3

/** The files that are rebuilt, by the name of their figures. */
const files: Readonly<Record<string, string>> = {
  arcade: join(root, 'examples', 'arcade', 'holdfast.config.ts'),
}

/** Builds an environment a second time, as on a machine that has only its file, and removes it. */
function rebuildOnce(file: string): RebuildResult {
  const data = mkdtempSync(join(tmpdir(), 'holdfast-bench-rebuild-'))
  const words = ['environment', 'rebuild', '--into', 'bench', '--offline', '--json']
  try {
    const command = [join(root, 'src', 'cli', 'main.ts'), ...words, '--config', file, '--data', data]
    const { stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8', timeout: 120_000 })
    if (stdout === '') throw new Error(stderr)
    return JSON.parse(stdout) as RebuildResult
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
}

function figuresOf(name: string, results: readonly RebuildResult[]): readonly Figure[] {
  const phases = results[0]?.phases.map((phase) => phase.name) ?? []
  const secondsOf = (phase: string) => (result: RebuildResult) =>
    result.phases.find((each) => each.name === phase)?.seconds ?? Number.NaN
  const unit = 's'
  return [
    {
      name: `${name}, whole`,
      value: median(results.map(({ seconds }) => seconds)),
      unit,
      limit: 'under 30 s',
    },
    ...phases.map((phase) => ({
      name: `${name}, ${phase}`,
      value: median(results.map(secondsOf(phase))),
      unit,
    })),
  ]
}

/** A whole environment from its file alone, until it answers through its edge, and until nothing of it is left. */
export function run(): Promise<BenchResult> {
  const figures = Object.entries(files).flatMap(([name, file]) =>
    figuresOf(
      name,
      Array.from({ length: rounds }, () => rebuildOnce(file)),
    ),
  )
  return Promise.resolve({ bench: 'rebuild', figures })
}
