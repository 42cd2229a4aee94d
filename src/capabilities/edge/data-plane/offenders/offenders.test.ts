import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { NearMiss } from '../../../../contracts/edge.ts'
import type { RefusedEntry } from '../../../../contracts/limits.ts'
import { createStage, echo, type Testbed } from '../testbed.test-support.ts'
import { directClient, nobody } from '../../pipeline/index.ts'
import { mostOffenders, OffenderBook, type Sighting } from './book.ts'
import { nameSenders } from './names.ts'
import { Sampler, SenderBook } from './senders.ts'

const stage = createStage()

beforeAll(() => stage.open())
afterEach(() => stage.clear())
afterAll(() => stage.close())

async function ask(bed: Testbed, path: string, times: number): Promise<number[]> {
  const statuses: number[] = []
  for (let turn = 0; turn < times; turn++) {
    const answer = await fetch(`${bed.url}${path}`)
    await answer.arrayBuffer()
    statuses.push(answer.status)
  }
  return statuses
}

/** What the reports named so far, each subject of each limit as it was said. */
async function reported(bed: Testbed): Promise<{ offenders: RefusedEntry[]; nearMisses: NearMiss[] }> {
  const reports = await bed.plane.reports.after(0, 0, AbortSignal.timeout(1000))
  return {
    offenders: reports.flatMap(({ offenders = [] }) => offenders),
    nearMisses: reports.flatMap(({ nearMisses = [] }) => nearMisses),
  }
}

test('a report names whom a limit refused, by which route, and how much was admitted since', async () => {
  const origin = await stage.origin(echo)
  const bed = await stage.testbed({
    section: {
      routes: {
        '/login': { to: 'web', limit: '3/hour per ip' },
        '/try': { to: 'web', limit: ['100/min per ip', 'dry run 2/hour per ip'] },
      },
    },
    origins: { web: [origin.url] },
    threads: 1,
  })
  expect(await ask(bed, '/login', 5)).toEqual([200, 200, 200, 429, 429])
  await ask(bed, '/try', 3)
  let said = await reported(bed)
  for (let turn = 0; turn < 200 && said.offenders.length < 2; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    said = await reported(bed)
  }
  expect(said.offenders).toContainEqual({
    limit: 'edge.route./login',
    rule: '3/hour per ip',
    subject: 'ip:127.0.0.1',
    refused: 2,
    admitted: 0,
    wouldRefuse: 0,
    routes: [{ route: '/login', admitted: 0, refused: 2 }],
  })
  expect(said.offenders).toContainEqual(
    expect.objectContaining({ rule: 'dry run 2/hour per ip', refused: 0, wouldRefuse: 1 }),
  )
}, 20_000)

test('of a route with a cost units are told beside how often', async () => {
  const origin = await stage.origin(echo)
  const limit = ['100/hour per ip', '9 at once per ip', 'dry run 40/hour per ip']
  const section = { routes: { '/dear': { to: 'web', cost: 20, limit } } }
  const bed = await stage.testbed({ section, origins: { web: [origin.url] }, threads: 1 })
  await ask(bed, '/dear', 7)
  await bed.apply({ section })
  let said = await reported(bed)
  for (let turn = 0; turn < 100 && said.offenders.length < 2; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    said = await reported(bed)
  }
  const sum = (rule: string) => said.offenders.filter((each) => each.rule === rule)
  expect(sum('100/hour per ip')).toMatchObject([{ refused: 2, units: { refused: 40, admitted: 0 } }])
  expect(sum('dry run 40/hour per ip')).toMatchObject([{ wouldRefuse: 5, units: { wouldRefuse: 100 } }])
}, 20_000)

test('what is counted when a policy ends is said under its names; who was near is named', async () => {
  const origin = await stage.origin(echo)
  const section = (limit: string) => ({ routes: { '/*': { to: 'web', limit } } })
  const bed = await stage.testbed({
    section: section('16/hour per ip'),
    origins: { web: [origin.url] },
    threads: 1,
  })
  await ask(bed, '/', 16)
  await bed.apply({ section: section('1/hour per ip') })
  await ask(bed, '/', 2)
  await bed.apply({ section: section('100/hour per ip') })
  let said = await reported(bed)
  for (let turn = 0; turn < 100 && said.offenders.length === 0; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    said = await reported(bed)
  }
  expect(said.offenders).toMatchObject([{ rule: '1/hour per ip', refused: 1 }])
  expect(said.nearMisses).toMatchObject([{ rule: '16/hour per ip', subject: 'ip:127.0.0.1', share: 1 }])
}, 20_000)

test('a flood of subjects takes slots, not memory; nobody is said to have been refused more than they were', () => {
  const book = new OffenderBook()
  const sight = (key: number): Sighting => ({ limit: 0, key, route: 0, subject: () => `ip:${key}` })
  for (let turn = 0; turn < 10_000; turn++) {
    book.refuse(sight(1000 + turn))
    if (turn % 10 === 0) book.refuse(sight(7))
  }
  const { offenders } = book.take()
  expect(offenders.length).toBeLessThanOrEqual(mostOffenders)
  const heavy = offenders.find(({ subject }) => subject === 'ip:7')
  expect(heavy?.refused).toBeLessThanOrEqual(1000)
  expect(heavy?.refused).toBeGreaterThanOrEqual(1000 - Math.ceil(11_000 / mostOffenders))
  const others = offenders.filter(({ subject }) => subject !== 'ip:7')
  expect(new Set(others.map(({ refused }) => refused))).toEqual(new Set([1]))
  expect(book.take().offenders).toEqual([])
})

test('admissions are counted once somebody was refused, and routes beyond eight as one', () => {
  const book = new OffenderBook()
  book.admit(0, 1, 0)
  book.refuse({ limit: 0, key: 1, route: 0, subject: () => 'user:1' })
  for (let route = 0; route < 12; route++) book.admit(0, 1, route)
  const [only] = book.take().offenders
  expect(only?.admitted).toBe(12)
  expect(only?.routes).toHaveLength(9)
  expect(only?.routes.at(-1)).toEqual({ slot: -1, admitted: 4, refused: 0 })
})

test('who sent most is told by route, refused or not, when a policy ends', async () => {
  const origin = await stage.origin(echo)
  const section = (limit: string) => ({
    routes: { '/login': { to: 'web', limit: '2/hour per ip' }, '/*': { to: 'web', limit } },
  })
  const bed = await stage.testbed({
    section: section('600/hour per ip'),
    origins: { web: [origin.url] },
    threads: 1,
  })
  await ask(bed, '/login', 5)
  await ask(bed, '/', 3)
  await bed.apply({ section: section('500/hour per ip') })
  const told = async () => {
    const reports = await bed.plane.reports.after(0, 0, AbortSignal.timeout(1000))
    return reports.flatMap(({ senders = [] }) => senders)
  }
  for (let turn = 0; turn < 100 && (await told()).length === 0; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  // A minute may have ended in between.
  const sums = new Map<string, number>()
  for (const { route, address, requests } of await told()) {
    sums.set(`${route} ${address}`, requests + (sums.get(`${route} ${address}`) ?? 0))
  }
  expect(Object.fromEntries(sums)).toEqual({ '/login 127.0.0.1': 5, '/* 127.0.0.1': 3 })
}, 20_000)

const from = (address: string, user = '') => ({
  client: directClient(address),
  who: user === '' ? nobody : { ...nobody, user },
  route: '/*',
  host: '',
  method: 'GET',
  head: { fields: [] },
})
/** The texts are as good as their hashes here. */
const keys = {
  hash: (text: string) => Buffer.from(text).reduce((sum, each) => (sum * 31 + each) % 2 ** 45, 7),
}

test('of a busy route samples are enough, in step with others or not; those of a quiet route are all counted', () => {
  const book = new SenderBook()
  const [busy, quiet] = [new Sampler(book), new Sampler(book)]
  const see = (sampler: Sampler, slot: number, address: string): void => {
    const requests = sampler.next()
    if (requests > 0) book.add(slot, from(address), { requests, keys })
  }
  for (let turn = 0; turn < 10_000; turn++) {
    for (const address of ['10.0.0.1', '10.0.0.2']) see(busy, 0, address)
    if (turn % 500 === 0) see(quiet, 1, '10.0.0.3')
  }
  const counts = Object.fromEntries(book.take().map(({ address, requests }) => [address, requests]))
  expect(counts['10.0.0.3']).toBe(20)
  for (const address of ['10.0.0.1', '10.0.0.2']) {
    expect(Math.abs((counts[address] ?? 0) - 10_000)).toBeLessThan(1000)
  }
  expect(book.take()).toEqual([])
})

test('a flood of senders takes slots, not memory; a sender is named with what it proved and its network', () => {
  const book = new OffenderBook()
  const see = (address: string, user = ''): void =>
    book.senders.add(0, from(address, user), { requests: 1, keys })
  for (let turn = 0; turn < 5000; turn++) {
    see(`10.${turn >> 8}.${turn & 255}.1`)
    if (turn % 10 === 0) see('2001:db8:1:2:3::4', 'user:42')
  }
  const routes = [{ name: '/*' }]
  const named = nameSenders(book, { routes, limits: [] } as never, 60_000)
  expect(named.length).toBeLessThanOrEqual(96)
  expect(named[0]).toMatchObject({ route: '/*', address: '2001:db8:1:2::', who: 'user:42', minute: 60_000 })
  expect(named[0]?.requests).toBeLessThanOrEqual(500)
  expect(named[0]?.requests).toBeGreaterThan(480)
})
