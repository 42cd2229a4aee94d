import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { EnvironmentPlan, EnvironmentStatus } from '../../src/contracts/index.ts'
import { root } from '../architecture/sources.ts'
import { describeWith } from '../support/describe-with.ts'
import {
  importNodeImage,
  startSwarm,
  swarmPrograms,
  whyNoSwarm,
  type Daemon,
  type Swarm,
} from '../support/docker/index.ts'
import { mustRun, until, type Place } from '../support/holdfast/index.ts'
import { keepAsking } from '../support/holdfast/on-swarm.ts'
import { placesOfTests } from '../support/holdfast/places.ts'

const place = placesOfTests()
const patience = 90_000
let built: string

beforeAll(async () => {
  built = mkdtempSync(join(tmpdir(), 'holdfast-arcade-'))
  const script = join(root, 'scripts', 'build.mjs')
  await promisify(execFile)(process.execPath, [script, 'arcade', built], { cwd: root })
})
afterAll(() => rmSync(built, { recursive: true, force: true }))

/** The example as it is built, in a place with a Node of its own, as a project would have it. */
async function arcadePlace(): Promise<Place> {
  const here = await place()
  cpSync(built, here.directory, { recursive: true })
  mkdirSync(join(here.directory, 'node_modules', '.bin'))
  symlinkSync(process.execPath, join(here.directory, 'node_modules', '.bin', 'node'))
  return here
}

/** Changes the one line that says where it runs. */
function moveToSwarm(here: Place, { socketPath }: Daemon): void {
  const own = readFileSync(join(here.directory, 'holdfast.config.ts'), 'utf8').split('\n')
  const engine = `  engine: { swarm: 'unix://${socketPath}' },`
  const file = own.map((line) => (line === "  engine: 'local'," ? engine : line))
  expect(file.filter((line, index) => line !== own[index])).toEqual([engine])
  here.write('holdfast.config.ts', file.join('\n'))
}

async function start(here: Place): Promise<void> {
  // The machine's own Node, if there is one on PATH, is not asked.
  mustRun(await here.up([], { PATH: '/usr/bin:/bin' }))
  await until('everything to be healthy', async () => (await statusOf(here)).state === 'healthy', patience)
}

const statusOf = (here: Place): Promise<EnvironmentStatus> => here.client().call('environment.status', {})

/** Which replicas run, and which releases. */
async function replicasOf(here: Place) {
  const { services } = await statusOf(here)
  return services.flatMap(({ replicas }) => replicas.map(({ id, release }) => `${id} ${release}`))
}

const kindsOf = async (here: Place): Promise<readonly string[]> =>
  (await here.client().call('timeline.read', { limit: 1000 })).facts.map(({ kind }) => kind)

interface Answer {
  readonly status: number
  readonly json: Readonly<Record<string, unknown>>
}

/** A player with a cookie. */
async function signIn(here: Place, door: 'login' | 'accounts', account: object) {
  const at = (path: string) => new URL(path, here.edgeUrl)
  const headers = { 'content-type': 'application/json', cookie: '' }
  const post = async (path: string, body: object): Promise<Answer> => {
    const answer = await fetch(at(path), { method: 'POST', headers, body: JSON.stringify(body) })
    headers.cookie ||= answer.headers.get('set-cookie')?.split(';')[0] ?? ''
    return { status: answer.status, json: (await answer.json()) as Answer['json'] }
  }
  const me = async () => (await (await fetch(at('/me'), { headers })).json()) as Answer['json']
  expect((await post(`/${door}`, account)).status).toBeLessThan(300)
  return { post, me }
}

/** Asks for a file of the game all the time, as fast as its limit allows. */
const askForLogo = ({ edgeUrl }: Place) =>
  keepAsking(`${edgeUrl}/assets/logo.svg`, { good: '200 <svg', pauseMs: 120 })

const titleOf = async (here: Place): Promise<string> =>
  /<title>(.*)<\/title>/.exec(await (await fetch(here.edgeUrl)).text())?.[1] ?? ''

/** Runs a command that is to end well, while requests go on. */
async function mustCall(here: Place, ...words: readonly string[]): Promise<string> {
  const { code, out, err } = await here.call(...words)
  if (code !== 0) throw new Error(`holdfast ${words.join(' ')}: ${err}`)
  return out
}

async function plan(here: Place): Promise<EnvironmentPlan> {
  return JSON.parse(await mustCall(here, 'environment', 'plan', '--json')) as EnvironmentPlan
}

/** The edge counts players by the tokens that the game signs: with keys that it has from a replica. */
async function knowsPlayersByToken(here: Place): Promise<void> {
  await until('the keys of the game', async () => (await kindsOf(here)).includes('edge.identity-reloaded'))
  const demo = await signIn(here, 'login', { handle: 'demo', password: 'arcade-demo' })
  const said: Answer[] = []
  for (let count = 0; count < 12; count++)
    said.push(await demo.post('/chat', { text: `@demo hello, ${count}` }))
  expect(said.at(0)?.status).toBe(201)
  const limit = { limit: 'edge.route.POST /chat', rule: '30/min per user burst 10', countedBy: 'user' }
  expect(said.at(-1)).toMatchObject({ status: 429, json: limit })
  // From the same address.
  const other = await signIn(here, 'accounts', { handle: 'quiet_one', password: 'long enough' })
  expect((await other.post('/chat', { text: 'hello' })).status).toBe(201)
}

/** What one service writes to the volume, the other finds there. */
async function sendsMail(here: Place): Promise<void> {
  const demo = await signIn(here, 'login', { handle: 'demo', password: 'arcade-demo' })
  expect(await demo.post('/scores', { points: 1999 })).toMatchObject({ status: 201, json: { rank: 1 } })
  await until(
    'a mail to be sent',
    async () => {
      await new Promise((again) => setTimeout(again, 500))
      const { mails } = (await demo.me()) as { readonly mails: { readonly sent: number } }
      return mails.sent > 0
    },
    patience,
  )
}

async function appliesNothingTwice(here: Place): Promise<void> {
  const before = await replicasOf(here)
  for (let times = 0; times < 2; times++) {
    const { steps, hash } = await plan(here)
    expect(steps).toEqual([])
    await mustCall(here, 'environment', 'apply', hash)
  }
  expect((await plan(here)).steps).toEqual([])
  expect(await replicasOf(here)).toEqual(before)
}

/** From the files as they lie to version 1, to a version 2 from elsewhere, and back, while requests go on. */
async function deploysAndGoesBack(here: Place): Promise<void> {
  const next = join(here.directory, '.holdfast', 'next')
  cpSync(built, next, { recursive: true })
  const page = join(next, 'public', 'index.html')
  const title = await titleOf(here)
  writeFileSync(page, readFileSync(page, 'utf8').replace(`<title>${title}`, '<title>A new tide'))
  const stop = askForLogo(here)
  expect(await mustCall(here, 'deploy', 'web', '--version', '1')).toContain('web runs 1')
  expect(await mustCall(here, 'deploy', 'web', '--version', '2', '--from', next)).toContain('web runs 2')
  expect(await titleOf(here)).toBe('A new tide')
  expect(await mustCall(here, 'deploy', 'rollback', 'web')).toContain('web runs 1')
  expect(await titleOf(here)).toBe(title)
  const { failures, answers } = await stop()
  expect(failures).toEqual([])
  expect(answers).toBeGreaterThan(50)
  const releases = (await statusOf(here)).services.find(({ name }) => name === 'web')?.replicas ?? []
  expect(releases.map(({ release }) => release)).toEqual(['1', '1'])
  expect((await plan(here)).steps).toEqual([])
}

/** Everything that the example is to do on any engine; answers with what the timeline says of it. */
async function playThrough(here: Place): Promise<readonly string[]> {
  await start(here)
  await knowsPlayersByToken(here)
  await sendsMail(here)
  await appliesNothingTwice(here)
  await deploysAndGoesBack(here)
  const kinds = await kindsOf(here)
  expect(here.run('down').code).toBe(0)
  return kinds
}

/** Takes away what `holdfast down` of a test before has left on a swarm. */
async function removeArcade({ docker }: Daemon): Promise<void> {
  for (const { ID } of await docker.listServices()) await docker.getService(ID).remove()
  await until(
    'the volume to be free',
    async () => {
      const { Volumes } = await docker.listVolumes()
      for (const { Name } of Volumes) await docker.getVolume(Name).remove()
      return true
    },
    patience,
  )
}

describe('the arcade on this machine', () => {
  test('plays through: tokens, mail, apply twice, a deploy and back', { timeout: 300_000 }, async () => {
    expect(await playThrough(await arcadePlace())).not.toContain('edge.identity-refused')
  })
})

describe.skipIf(whyNoSwarm !== null)(`namespaces (${whyNoSwarm ?? 'there are'})`, () => {
  describeWith(swarmPrograms, 'the arcade on a swarm', (paths) => {
    let swarm: Swarm
    beforeAll(async () => {
      swarm = await startSwarm(paths)
      const [{ docker }] = swarm.daemons
      await importNodeImage(docker, 'node:24-slim')
    })
    beforeEach(() => removeArcade(swarm.daemons[0]))
    afterAll(() => swarm.stop())

    test('plays through in the same way', { timeout: 600_000 }, async () => {
      const here = await arcadePlace()
      moveToSwarm(here, swarm.daemons[0])
      expect(await playThrough(here)).not.toContain('edge.identity-refused')
    })

    test('moves there with its data, as the guide says', { timeout: 300_000 }, async () => {
      const here = await arcadePlace()
      const account = { handle: 'mover', password: 'long enough' }
      await start(here)
      await signIn(here, 'accounts', account)
      expect(here.run('down').code).toBe(0)
      const [daemon] = swarm.daemons
      await daemon.docker.createVolume({ Name: 'arcade_game' })
      const { Mountpoint } = await daemon.docker.getVolume('arcade_game').inspect()
      cpSync(join(here.data, 'volumes', 'game'), Mountpoint, { recursive: true })
      moveToSwarm(here, daemon)
      // The processes of this machine serve once more, until those on the swarm do.
      await start(here)
      const hostsOf = async (): Promise<readonly string[]> =>
        (await statusOf(here)).services.flatMap(({ replicas }) =>
          replicas.map(({ address }) => URL.parse(address ?? '')?.hostname ?? 'none'),
        )
      const moved = `${daemon.address} ${daemon.address} none`
      await until('only the swarm', async () => (await hostsOf()).toSorted().join(' ') === moved, patience)
      expect(here.run('down').code).toBe(0)
      await start(here)
      expect((await hostsOf()).toSorted().join(' ')).toBe(moved)
      const mover = await signIn(here, 'login', account)
      expect((await mover.me())['handle']).toBe('mover')
      expect(here.run('down').code).toBe(0)
    })
  })
})
