import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { until, type Place } from '../support/holdfast/index.ts'
import { placesOfTests } from '../support/holdfast/places.ts'

const newPlace = placesOfTests()
const timeout = 120_000

/** A service that says its release, and does as the file `how` beside it says: `fine`, `exits`, `deaf` or `fails`. */
const service = `
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
const how = readFileSync(new URL('how', import.meta.url), 'utf8').trim()
if (how === 'exits') process.exit(3)
const server = createServer((request, response) => {
  request.resume()
  request.on('end', () => setTimeout(() => {
    const fails = how === 'fails' && request.url !== '/healthz' && Math.random() < 0.5
    response.writeHead(fails ? 500 : 200)
    response.end(process.env.HOLDFAST_RELEASE)
  }, 5))
})
if (how !== 'deaf') server.listen(Number(process.env.PORT), process.env.HOST)
else setInterval(() => {}, 1000)
process.on('SIGTERM', () => server.close(() => process.exit(0)))
`

const migrate = `
import { appendFileSync } from 'node:fs'
const { HOLDFAST_RELEASE: release, DIARY: diary } = process.env
appendFileSync(diary, release + '\\n')
console.log('migrated to ' + release)
process.exit(release === 'bad-migration' ? 7 : 0)
`

interface Changes {
  readonly startTimeout?: string
  readonly replicas?: number
  readonly deploy?: object
  readonly more?: object
}

function environmentFile(
  here: Place,
  { replicas = 2, deploy = {}, more = {}, startTimeout = '20s' }: Changes,
): string {
  const web = {
    command: [process.execPath, 'app.mjs'],
    directory: 'web',
    health: '/healthz',
    replicas,
    startTimeout,
    env: { DIARY: join(here.directory, 'diary') },
    deploy: { canary: { for: '3s' }, drain: '500ms', ...deploy },
  }
  const environment = {
    name: 'deploys',
    services: { web },
    edge: { routes: { '/*': { to: 'web', limit: '100000/s burst 100000' } } },
    ...more,
  }
  return `export default ${JSON.stringify(environment)}\n`
}

function writeRelease(here: Place, how: string): void {
  mkdirSync(join(here.directory, 'web'), { recursive: true })
  writeFileSync(join(here.directory, 'web', 'app.mjs'), service)
  writeFileSync(join(here.directory, 'web', 'migrate.mjs'), migrate)
  writeFileSync(join(here.directory, 'web', 'how'), how)
}

async function running(changes: Changes = {}): Promise<Place> {
  const here = await newPlace()
  writeRelease(here, 'fine')
  here.write('holdfast.config.ts', environmentFile(here, changes))
  await here.up()
  return here
}

/** Steady traffic over kept connections, every third a POST; tells what came back. */
function traffic(url: string, width = 6) {
  const answers = new Map<string, number>()
  const ending = new AbortController()
  const ask = (agent: Agent, turn: number): Promise<string> =>
    new Promise((done) => {
      const method = turn % 3 === 0 ? 'POST' : 'GET'
      const outgoing = request(url, { agent, method, timeout: 10_000 }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.on('end', () => done(response.statusCode === 200 ? text : String(response.statusCode)))
        response.on('error', () => done('cut'))
      })
      outgoing.on('timeout', () => outgoing.destroy())
      outgoing.on('error', () => done('failed'))
      outgoing.end(method === 'POST' ? 'x'.repeat(2000) : undefined)
    })
  const client = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (let turn = 0; !ending.signal.aborted; turn++) {
      const answer = await ask(agent, turn)
      answers.set(answer, (answers.get(answer) ?? 0) + 1)
      await new Promise((next) => setTimeout(next, 10))
    }
    agent.destroy()
  }
  const clients = Array.from({ length: width }, client)
  return {
    answers,
    stop: async (): Promise<Readonly<Record<string, number>>> => {
      ending.abort()
      await Promise.all(clients)
      return Object.fromEntries(answers)
    },
  }
}

const kindsSaid = async (here: Place): Promise<readonly string[]> =>
  (await here.client().call('timeline.read', { kind: 'environment.*', limit: 500 })).facts.map(
    ({ kind }) => kind,
  )

test('a release takes over and goes back again without a request lost', { timeout }, async () => {
  const here = await running()
  const load = traffic(here.edgeUrl)
  const first = await here.client().job('environment.deploy', { service: 'web', version: '1.0' })
  expect(first).toMatchObject({ release: '1.0', before: 'no release' })
  expect(first.says).toMatch(/\d+ requests, 0\.0 % failed/)
  await here.client().job('environment.deploy', { service: 'web', version: '1.1' })
  await until('1.1 to answer', () => (load.answers.get('1.1') ?? 0) > 50)
  const back = await here.client().job('environment.rollback', { service: 'web' })
  expect(back).toMatchObject({ release: '1.0', before: '1.1' })
  const before = load.answers.get('1.0') ?? 0
  await until('1.0 to answer again', () => (load.answers.get('1.0') ?? 0) > before + 50)
  const answers = await load.stop()
  expect(Object.keys(answers).toSorted()).toEqual(['', '1.0', '1.1'])
  const history = await here.client().call('environment.deploys', {})
  expect(history.deploys.map(({ release, outcome }) => [release, outcome])).toEqual([
    ['1.0', 'deployed'],
    ['1.1', 'deployed'],
    ['1.0', 'deployed'],
  ])
  expect(history.releases).toMatchObject([
    { service: 'web', running: '1.0', image: null, most: 5, back: '1.1' },
  ])
  expect(history.releases[0]?.kept.map(({ release, good }) => [release, good])).toEqual([
    ['1.1', true],
    ['1.0', true],
  ])
})

test.each([
  ['exits', 'it crashed'],
  ['deaf', 'was not healthy within 5 s'],
  ['fails', 'requests failed, beside 0.0 %'],
])('a release that %s is given up, and the old one goes on', { timeout }, async (how, because) => {
  const here = await running({ startTimeout: '5s' })
  await here.client().job('environment.deploy', { service: 'web', version: 'good' })
  writeRelease(here, how)
  const load = traffic(here.edgeUrl)
  const deploy = here.client().job('environment.deploy', { service: 'web', version: how })
  await expect(deploy).rejects.toThrow(because)
  const before = load.answers.get('good') ?? 0
  await until('the old one to answer', () => (load.answers.get('good') ?? 0) > before + 50)
  const answers = await load.stop()
  const wrong = Object.entries(answers).filter(([answer]) => !['good', how].includes(answer))
  // A canary that fails did so in public, for as long as it took to notice; nothing else may.
  expect(wrong.map(([answer]) => answer)).toEqual(how === 'fails' ? ['500'] : [])
  const { deploys } = await here.client().call('environment.deploys', {})
  expect(deploys[0]).toMatchObject({ release: how, outcome: 'rolled back' })
  // One that was sent to is drained first.
  await until('only the old ones to be left', async () => {
    const { services } = await here.client().call('environment.status', {})
    return services[0]?.replicas.map(({ release }) => release).join() === 'good,good'
  })
})

test(
  'a job before the deploy stops it when it fails; one that ends well runs once, also over a kill',
  { timeout },
  async () => {
    const more = { jobs: { migrate: { service: 'web', command: [process.execPath, 'migrate.mjs'] } } }
    const here = await running({ deploy: { before: ['migrate'] }, more })
    const diary = (): string[] => readFileSync(join(here.directory, 'diary'), 'utf8').trim().split('\n')
    await here.client().job('environment.deploy', { service: 'web', version: '1' })
    const bad = here.client().job('environment.deploy', { service: 'web', version: 'bad-migration' })
    await expect(bad).rejects.toThrow(
      'job migrate failed: exit code 7; its last words: migrated to bad-migration',
    )
    const { releases } = await here.client().call('environment.deploys', {})
    expect(releases[0]?.running).toBe('1')
    const job = await here.client().request('environment.deploy', { service: 'web', version: '2' })
    await until('the migration', () => existsSync(join(here.directory, 'diary')) && diary().includes('2'))
    process.kill(here.pidOf('control'), 'SIGKILL')
    for await (const state of here.client().follow(job.id)) expect(state.state).not.toBe('failed')
    expect(diary()).toEqual(['1', 'bad-migration', '2'])
    expect((await here.client().call('environment.deploys', {})).releases[0]?.running).toBe('2')
    const { runs } = await here.client().call('environment.runs', { job: 'migrate' })
    expect(runs.map(({ outcome, lastLines }) => [outcome, lastLines])).toEqual([
      ['done', ['migrated to 2']],
      ['failed', ['migrated to bad-migration']],
      ['done', ['migrated to 1']],
    ])
  },
)

test('killed at every step, control finishes a deploy', { timeout: 240_000 }, async () => {
  const here = await running()
  const load = traffic(here.edgeUrl)
  await here.client().job('environment.deploy', { service: 'web', version: '0' })
  const steps = ['release-stored', 'deploy-begun', 'replica-started', 'replica-stopped', 'rolled-out']
  for (const [index, step] of steps.entries()) {
    const version = `k${index}`
    const times = async (): Promise<number> =>
      (await kindsSaid(here)).filter((kind) => kind === `environment.${step}`).length
    const before = await times()
    const job = await here.client().request('environment.deploy', { service: 'web', version })
    await until(`${step} of ${version}`, async () => (await times()) > before)
    process.kill(here.pidOf('control'), 'SIGKILL')
    let last = ''
    for await (const state of here.client().follow(job.id)) last = state.state
    expect([step, last]).toEqual([step, 'done'])
    const { services } = await here.client().call('environment.status', {})
    expect(services[0]?.replicas.map(({ release }) => release)).toEqual([version, version])
  }
  const answers = await load.stop()
  expect(Object.keys(answers).filter((answer) => /^(\d{3}|cut|failed)$/.test(answer))).toEqual([])
})

test('plan, apply, drift: what is planned is what comes, and nothing else', { timeout }, async () => {
  const here = await running()
  const client = here.client()
  expect((await client.call('environment.plan', {})).steps).toEqual([])
  expect((await client.call('environment.drift', {})).items).toEqual([])
  here.write('holdfast.config.ts', environmentFile(here, { replicas: 3, deploy: { canary: { for: '0s' } } }))
  const plan = await client.call('environment.plan', {})
  expect(plan.steps.map(({ object, verb }) => `${verb} ${object}`)).toEqual(['scale service web'])
  expect((await client.call('environment.drift', {})).items).toHaveLength(1)
  const load = traffic(here.edgeUrl)
  const applied = await here.client().job('environment.apply', { plan: plan.hash })
  expect(applied.says).toBe('1 change was made')
  const { services, processes } = await here.client().call('environment.status', {})
  expect(services[0]).toMatchObject({ wanted: 3, healthy: 3 })
  // What is only added does not wait for control to start anew.
  const control = processes.find(({ name }) => name === 'control')
  const starts = services[0]?.replicas.map(({ startedAt }) => startedAt ?? Infinity) ?? []
  expect(Math.max(...starts)).toBeLessThanOrEqual(control?.startedAt ?? 0)
  await expect(here.client().job('environment.apply', { plan: plan.hash })).rejects.toThrow('no longer')
  const again = await here.client().call('environment.plan', {})
  expect(again.steps).toEqual([])
  expect((await here.client().job('environment.apply', { plan: again.hash })).steps).toBe(0)
  expect(Object.keys(await load.stop())).toEqual([''])
  expect(await kindsSaid(here)).toEqual(
    expect.arrayContaining(['environment.apply-begun', 'environment.applied']),
  )
})

test(
  'an apply that is killed in the middle goes on; one whose service is no good says so',
  { timeout },
  async () => {
    const here = await running()
    here.write(
      'holdfast.config.ts',
      environmentFile(here, {
        more: { name: 'deploys', limits: { mail: '9/h' } },
        deploy: { drain: '1s' },
        replicas: 3,
      }),
    )
    const { hash } = await here.client().call('environment.plan', {})
    const job = await here.client().request('environment.apply', { plan: hash })
    await until('it to be accepted', async () =>
      (await kindsSaid(here).catch((): string[] => [])).includes('environment.apply-begun'),
    )
    process.kill(here.pidOf('control'), 'SIGKILL')
    let last = ''
    for await (const state of here.client().follow(job.id)) last = state.state
    expect(last).toBe('done')
    writeRelease(here, 'exits')
    here.write(
      'holdfast.config.ts',
      environmentFile(here, { replicas: 3, more: { limits: { mail: '9/h' } } }).replace('"DIARY"', '"OTHER"'),
    )
    const worse = await here.client().call('environment.plan', {})
    await expect(here.client().job('environment.apply', { plan: worse.hash })).rejects.toThrow('it crashed')
    const { items } = await here.client().call('environment.drift', {})
    expect(items).toMatchObject([
      { object: 'service web', says: expect.stringContaining('goes on as it was') as string },
    ])
    expect(items[0]?.since).toBeGreaterThan(0)
    const load = traffic(here.edgeUrl)
    await until('the old ones to answer', () => (load.answers.get('') ?? 0) > 50)
    await load.stop()
    writeRelease(here, 'fine')
    const retry = await here.client().call('environment.plan', {})
    expect(retry.steps).toMatchObject([{ object: 'service web', verb: 'replace' }])
    await here.client().job('environment.apply', { plan: retry.hash })
    expect((await here.client().call('environment.drift', {})).items).toEqual([])
  },
)

test('an apply of something new that does not stay up says so', { timeout }, async () => {
  const here = await running({ replicas: 1 })
  const services = (parse: string): object => (JSON.parse(parse) as { services: object }).services
  const file = environmentFile(here, { replicas: 1 }).replace('export default ', '')
  const worker = { command: [process.execPath, '-e', 'process.exit(3)'], listens: false }
  const deaf = { command: [process.execPath, '-e', 'setInterval(() => {}, 1000)'], startTimeout: '2s' }
  for (const [name, added] of Object.entries({ worker, deaf })) {
    const more = { services: { ...services(file), [name]: added } }
    here.write('holdfast.config.ts', environmentFile(here, { replicas: 1, more }))
    const { hash } = await here.client().call('environment.plan', {})
    await expect(here.client().job('environment.apply', { plan: hash })).rejects.toThrow(
      `not all of the plan came about: ${name} has 0 of 1 replicas healthy`,
    )
  }
  expect(await kindsSaid(here)).toContain('environment.apply-failed')
})

test('two applies at once: one is refused, and the other comes about', { timeout }, async () => {
  const here = await running()
  here.write('holdfast.config.ts', environmentFile(here, { more: { limits: { mail: '9/h' } }, replicas: 3 }))
  const { hash } = await here.client().call('environment.plan', {})
  const jobs = await Promise.all([0, 1].map(() => here.client().request('environment.apply', { plan: hash })))
  const ends: string[] = []
  for (const { id } of jobs) {
    let last = ''
    for await (const { state, error } of here.client().follow(id)) last = error?.code ?? state
    ends.push(last)
  }
  expect(ends.toSorted()).toEqual(['done', 'environment.apply-under-way'])
  expect((await here.client().call('environment.status', {})).services[0]).toMatchObject({
    wanted: 3,
    healthy: 3,
  })
})

test(
  'schedules run by the clock, once each, also when control is away; overlaps are skipped',
  { timeout },
  async () => {
    const job = (text: string): object => ({ command: ['/bin/sh', '-c', text] })
    const more = {
      jobs: {
        tick: job('echo tick $HOLDFAST_RUN'),
        slow: job('sleep 30'),
        broken: job('echo oh no; exit 4'),
      },
      schedules: {
        often: { job: 'tick', at: '*/2 * * * * *' },
        lazy: { job: 'slow', at: '*/3 * * * * *' },
      },
    }
    const here = await running({ more })
    await expect(here.client().job('environment.run', { job: 'broken' })).rejects.toThrow(
      'exit code 4; its last words: oh no',
    )
    await until('three ticks', async () => {
      const { runs } = await here.client().call('environment.runs', { job: 'tick' })
      return runs.filter(({ outcome }) => outcome === 'done').length >= 3
    })
    process.kill(here.pidOf('control'), 'SIGKILL')
    const ticks = async () => (await here.client().call('environment.runs', { job: 'tick', most: 100 })).runs
    await until('control', async () => (await ticks()).length > 0)
    const before = (await ticks()).length
    await until('more of them', async () => (await ticks()).length >= before + 2)
    const runs = await ticks()
    expect(new Set(runs.map(({ run }) => run)).size).toBe(runs.length)
    const slow = await here.client().call('environment.runs', { job: 'slow' })
    expect(slow.runs.filter(({ outcome }) => outcome === 'under way')).toHaveLength(1)
    expect(await kindsSaid(here)).toContain('environment.schedule-skipped')
  },
)
