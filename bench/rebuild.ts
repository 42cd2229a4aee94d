import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RebuildResult } from '../src/contracts/index.ts'
import { environmentFileSchema } from '../src/server/composition/index.ts'
import { median, type BenchResult, type Figure } from './harness.ts'

const root = join(import.meta.dirname, '..')
const rounds = 3

const app = `
import { execFileSync } from 'node:child_process'
import { createServer } from 'node:http'
const ask = () => execFileSync('psql', ['-XqtA', '-d', process.env.DATABASE_URL, '-c', 'select 42'])
createServer((_, response) => response.end(ask())).listen(process.env.PORT, process.env.HOST)
`

/** A service that is well when its managed Postgres answers it. */
function writePostgres(directory: string): string {
  const file = join(directory, 'holdfast.config.ts')
  const env = { DATABASE_URL: { database: 'main' } }
  const environment = {
    name: 'postgres',
    databases: { main: { engine: 'postgres' } },
    services: { web: { command: [process.execPath, 'app.mjs'], health: '/', env } },
    edge: { routes: { '/*': { to: 'web', limit: '100/s' } } },
  }
  chmodSync(directory, 0o755)
  writeFileSync(join(directory, 'app.mjs'), app)
  writeFileSync(file, `export default ${JSON.stringify(environment)}\n`)
  return file
}

/** The files that are rebuilt, by the name of their figures; that with a database where there are managed ones. */
function filesIn(directory: string): Readonly<Record<string, string>> {
  const arcade = join(root, 'examples', 'arcade', 'holdfast.config.ts')
  const { properties } = environmentFileSchema() as { readonly properties: object }
  return 'databases' in properties ? { arcade, postgres: writePostgres(directory) } : { arcade }
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
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-bench-files-'))
  try {
    const figures = Object.entries(filesIn(directory)).flatMap(([name, file]) =>
      figuresOf(
        name,
        Array.from({ length: rounds }, () => rebuildOnce(file)),
      ),
    )
    return Promise.resolve({ bench: 'rebuild', figures })
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
