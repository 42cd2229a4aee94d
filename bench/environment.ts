import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { totalmem, tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadEnvironment } from '../src/server/composition/index.ts'
import { makePlan } from '../src/server/plan/make-plan.ts'
import { freePort, makePlace, type Place } from '../test/support/holdfast/index.ts'
import { interleaved, median, type BenchResult, type Figure } from './harness.ts'

const services = 100
const planRounds = 9
const started = 8
const applyRounds = 5
/** What an application does before it listens: some work, then the rest of a second for its connections. */
const startUpMs = 1000

const web = `
import { createServer } from 'node:http'
await new Promise((ready) => setTimeout(ready, Number(process.env.START_UP_MS ?? 0)))
const server = createServer((_, response) => response.end(process.env.HOLDFAST_RELEASE))
server.listen(Number(process.env.PORT), process.env.HOST)
process.on('SIGTERM', () => server.close(() => process.exit(0)))
`

function serviceNamed(directory: string, more: object = {}): object {
  const env = { START_UP_MS: String(startUpMs) }
  return { command: [process.execPath, 'web.mjs'], directory, health: '/', env, ...more }
}

function fileWith(directory: string, all: Readonly<Record<string, object>>): string {
  const [first = ''] = Object.keys(all)
  const routes = { '/*': { to: first, limit: '1000000/s burst 1000000' } }
  return `export default ${JSON.stringify({ name: 'bench', services: all, edge: { routes } })}\n`
}

const named = (count: number, directory: string): Readonly<Record<string, object>> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`s${index}`, serviceNamed(directory)]))

/** Seconds to read a file of so many services, check it and plan it against another of which each differs. */
async function timePlan(): Promise<Figure> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-bench-plan-'))
  try {
    const [before, after] = [join(directory, 'before.mts'), join(directory, 'after.mts')]
    writeFileSync(before, fileWith(directory, named(services, directory)))
    const changed = Object.entries(named(services, directory)).map(
      ([name, service], index) =>
        [name, { ...service, needs: index === 0 ? [] : [`s${index - 1}`], replicas: 2 }] as const,
    )
    writeFileSync(after, fileWith(directory, Object.fromEntries(changed)))
    const accepted = await loadEnvironment(before)
    const whole = { name: 'bench', version: '', says: '', state: 'healthy', startedAt: 0 } as const
    const status = { ...whole, services: [], processes: [], notes: [] }
    const seconds: number[] = []
    for (let round = 0; round < planRounds; round++) {
      const begun = performance.now()
      const fresh = await loadEnvironment(after)
      const plan = makePlan({ accepted, fresh, status, images: {}, machineMiB: totalmem() / 2 ** 20 })
      if (plan.steps.length !== services) throw new Error(`planned ${plan.steps.length} steps`)
      seconds.push((performance.now() - begun) / 1000)
    }
    return {
      name: `plan of ${services} services, file read`,
      value: median(seconds),
      unit: 's',
      limit: 'under 1 s',
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function untilAnswers(port: number): Promise<void> {
  for (;;) {
    const answers = await fetch(`http://127.0.0.1:${port}/`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (answers) return
    await new Promise((again) => setTimeout(again, 10))
  }
}

/** Seconds to start the same processes by hand, all at once, until each answers. */
async function timeByHand(directory: string): Promise<number> {
  const ports = await Promise.all(Array.from({ length: started }, freePort))
  const begun = performance.now()
  const children = ports.map((port): ChildProcess => {
    const told = { HOST: '127.0.0.1', PORT: String(port), START_UP_MS: String(startUpMs) }
    const env = { ...process.env, ...told }
    return spawn(process.execPath, ['web.mjs'], { cwd: directory, env, stdio: 'ignore' })
  })
  await Promise.all(ports.map(untilAnswers))
  const seconds = (performance.now() - begun) / 1000
  await Promise.all(
    children.map((child) => {
      const ended = new Promise((done) => child.once('exit', done))
      child.kill('SIGTERM')
      return ended
    }),
  )
  return seconds
}

/** Seconds to apply a plan that starts them, to the end of the job; they are taken away again. */
async function timeApply(here: Place, directory: string): Promise<number> {
  const client = here.client()
  const base = { first: serviceNamed(directory) }
  here.write('holdfast.config.ts', fileWith(directory, { ...base, ...named(started, directory) }))
  const { hash } = await client.call('environment.plan', {})
  const begun = performance.now()
  await client.job('environment.apply', { plan: hash })
  const seconds = (performance.now() - begun) / 1000
  here.write('holdfast.config.ts', fileWith(directory, base))
  const back = await client.call('environment.plan', {})
  await client.job('environment.apply', { plan: back.hash })
  return seconds
}

/** Requests that did not succeed while releases replace one another under half of what wrk can ask. */
async function loseInDeploys(here: Place, directory: string): Promise<readonly Figure[]> {
  const client = here.client()
  const deploy = { canary: { for: '3s' } }
  here.write(
    'holdfast.config.ts',
    fileWith(directory, { first: serviceNamed(directory, { replicas: 2, deploy }) }),
  )
  const { hash } = await client.call('environment.plan', {})
  await client.job('environment.apply', { plan: hash })
  const load = spawn('wrk', ['-t1', '-c8', '-d40s', here.edgeUrl], { stdio: ['ignore', 'pipe', 'ignore'] })
  let said = ''
  load.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const ended = new Promise((done, failed) => {
    load.once('close', done)
    load.once('error', () => failed(new Error('this bench needs wrk; on Debian: apt-get install wrk')))
  })
  ended.catch(() => undefined)
  const seconds: number[] = []
  for (const version of ['1', '2', '3']) {
    const { seconds: took } = await client.job('environment.deploy', { service: 'first', version })
    seconds.push(took)
  }
  await ended
  const count = (pattern: RegExp): number => Number(pattern.exec(said)?.[1] ?? 0)
  const errors =
    /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(said)?.slice(1) ?? []
  const failed =
    count(/Non-2xx or 3xx responses: (\d+)/) + errors.reduce((sum, text) => sum + Number(text), 0)
  const requests = count(/(\d+) requests in/)
  return [
    { name: 'failed requests in three deploys', value: failed, unit: `of ${requests}`, limit: 'none' },
    { name: 'a deploy of two replicas, judged for 3 s', value: median(seconds), unit: 's' },
  ]
}

/** Plans, applies and deploys on real processes. */
export async function run(): Promise<BenchResult> {
  const here = await makePlace()
  const directory = join(here.directory, 'web')
  try {
    mkdirSync(directory)
    writeFileSync(join(directory, 'web.mjs'), web)
    here.write('holdfast.config.ts', fileWith(directory, { first: serviceNamed(directory) }))
    await here.up()
    const plan = await timePlan()
    const { ours, peer } = await interleaved(
      { ours: () => timeApply(here, directory), peer: () => timeByHand(directory) },
      applyRounds,
    )
    const apply = {
      name: `apply that starts ${started} services of ${startUpMs} ms`,
      value: ours,
      unit: 's',
      peer: 'the same processes by hand',
      peerValue: peer,
      ratio: ours / peer,
      limit: 'at most 1.2 of the peer',
    }
    return { bench: 'environment', figures: [plan, apply, ...(await loseInDeploys(here, directory))] }
  } finally {
    await here.clear()
  }
}
