import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { EnvironmentStatus } from '../../../src/contracts/environment.ts'
import { nodeImage } from '../docker/index.ts'
import type { Place } from './index.ts'

/** A small service. */
export const origin = join(import.meta.dirname, 'origin.mjs')
const main = join(import.meta.dirname, '..', '..', '..', 'src', 'cli', 'main.ts')
/** Where programs are found, this Node first. */
export const path = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`

/** An environment file with a service that runs on both engines. */
export function swarmConfig(engine: unknown, name = 'e2e', more: object = {}): string {
  const deploy = { canary: { for: '0s' }, drain: '500ms' }
  const web = {
    command: ['node', 'origin.mjs'],
    health: '/healthz',
    replicas: 2,
    startTimeout: '30s',
    stopTimeout: '2s',
    build: { base: nodeImage },
    deploy,
    ...more,
  }
  const edge = { routes: { '/*': { to: 'web', limit: '100000/s' } } }
  return `export default ${JSON.stringify({ name, engine, services: { web }, edge }, null, 2)}\n`
}

/** What answers have to begin with, status first, and how long to wait between them. */
interface Asking {
  readonly good?: string
  readonly pauseMs?: number
}

/** Asks all the time; counts answers that are not what they should be. */
export function keepAsking(url: string, { good = '200 hello', pauseMs = 20 }: Asking = {}) {
  const over = new AbortController()
  const failures: string[] = []
  let answers = 0
  const asking = (async () => {
    while (!over.signal.aborted) {
      const answer = await fetch(url).then(
        async (got) => `${got.status} ${await got.text()}`,
        (error: unknown) => String(error),
      )
      answers += 1
      if (!answer.startsWith(good)) failures.push(answer)
      await new Promise((again) => setTimeout(again, pauseMs))
    }
  })()
  return async () => {
    over.abort()
    await asking
    return { failures, answers }
  }
}

/** Runs the command line while requests go on. */
export async function beside(here: Place, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [main, ...args], { cwd: here.directory })
  return stdout
}

/** How its service is. */
export const statusOf = (here: Place): EnvironmentStatus['services'][number] | undefined =>
  (JSON.parse(here.run('status', '--json').out) as EnvironmentStatus).services[0]

/** Where its replicas answer. */
export const addressesOf = (here: Place): readonly string[] =>
  (statusOf(here)?.replicas ?? []).map(({ address }) => URL.parse(address ?? '')?.hostname ?? '')
