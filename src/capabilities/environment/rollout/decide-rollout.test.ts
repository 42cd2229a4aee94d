import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { specificationOf } from '../../../../test/support/environment/replicas.ts'
import type { Group } from '../ports.ts'
import type { RolloutRule, Wish } from '../wish/index.ts'
import {
  decideRollout,
  type RolloutDecision,
  type RolloutMemory,
  type RolloutScene,
  type SeenReplica,
} from './decide-rollout.ts'
import type { Verdict } from './judge.ts'

const rule: RolloutRule = {
  inPlace: false,
  surge: 1,
  canaries: 1,
  share: 0.1,
  judgeForMs: 1000,
  errorMargin: 0.02,
  p95Factor: 1.5,
  drainMs: 2000,
}

function wished(change: Partial<Wish> = {}): Wish {
  return {
    name: 'web',
    hash: 'new',
    specification: specificationOf({ release: '2' }),
    replicas: 2,
    listens: true,
    health: '/healthz',
    startTimeoutMs: 5000,
    needs: [],
    rollout: rule,
    pending: true,
    ...change,
  }
}

interface Body {
  readonly id: string
  readonly hash: string
  readonly bornMs: number
  goneAtMs: number | null
}

/** A little world: replicas of the new group get well after `startMs` (never, if negative); stopping takes `stopMs`. */
class World {
  readonly bodies: Body[] = []
  nowMs = 0
  memory: RolloutMemory | null = null
  last: RolloutDecision | null = null
  refused: string | null = null
  readonly service: Wish
  readonly how: {
    startMs: number
    stopMs: number
    choosesReplica: boolean
    verdict: Verdict
    /** So often the edge is told what to send to. */
    learnsEveryMs: number
  }
  /** Those that the edge sends to. */
  sentTo: ReadonlySet<string> = new Set()
  /** Well, and stopped while the edge sent to them. */
  readonly torn: string[] = []

  constructor(service: Wish, how: World['how'], old: number) {
    this.service = service
    this.how = how
    for (let slot = 1; slot <= old; slot++) this.#add('old', slot)
  }

  #add(hash: string, slot: number): void {
    this.bodies.push({ id: `web/${slot}`, hash, bornMs: hash === 'old' ? -1e6 : this.nowMs, goneAtMs: null })
  }

  #isWell({ hash, bornMs }: Body): boolean {
    return hash === 'old' || (this.how.startMs >= 0 && this.nowMs - bornMs >= this.how.startMs)
  }

  seen(): readonly SeenReplica[] {
    return this.bodies.map((body) => ({
      id: body.id,
      hash: body.hash,
      leaving: body.goneAtMs !== null,
      healthy: body.goneAtMs === null && this.#isWell(body),
      failed: false,
      detail: 'it does not answer',
      isSentTo: this.sentTo.has(body.id),
    }))
  }

  #run(groups: readonly Group[]): void {
    for (const hash of ['old', 'new']) {
      const group = groups.find((each) => each.hash === hash)
      const members = this.bodies.filter((body) => body.hash === hash && body.goneAtMs === null)
      const leaving = (body: Body): number => (group?.leaving.includes(body.id) === true ? 1 : 0)
      const sorted = members.toSorted((a, b) => leaving(a) - leaving(b))
      const wanted = group?.replicas ?? 0
      for (const body of sorted.slice(wanted)) {
        if (this.sentTo.has(body.id) && this.#isWell(body)) this.torn.push(body.id)
        body.goneAtMs = this.nowMs + this.how.stopMs
      }
      for (let missing = wanted - members.length; missing > 0; missing--) {
        const taken = new Set(this.bodies.map(({ id }) => id))
        let slot = 1
        while (taken.has(`web/${slot}`)) slot++
        this.#add(hash, slot)
      }
    }
  }

  #learn({ withheld }: RolloutDecision): void {
    const all = this.seen().filter(({ id, leaving }) => !leaving && !withheld.includes(id))
    this.sentTo = new Set(all.map(({ id }) => id))
  }

  step(): RolloutDecision {
    const scene: RolloutScene = {
      service: this.service,
      seen: this.seen(),
      missing: [],
      memory: this.memory,
      verdict: (this.memory?.judgedSince ?? null) === null ? { kind: 'pending' } : this.how.verdict,
      refused: this.refused,
      choosesReplica: this.how.choosesReplica,
      nowMs: this.nowMs,
    }
    const decision = decideRollout(scene)
    this.memory = decision.memory
    this.last = decision
    if (decision.failure !== null) this.refused = decision.failure
    this.#run(decision.groups)
    if (this.nowMs % this.how.learnsEveryMs === 0) this.#learn(decision)
    this.nowMs += 250
    for (const body of this.bodies.filter(({ goneAtMs }) => goneAtMs !== null && goneAtMs <= this.nowMs)) {
      this.bodies.splice(this.bodies.indexOf(body), 1)
    }
    return decision
  }

  /** Replicas that serve: well, not withheld and not on their way out. */
  serving(): number {
    const withheld = new Set(this.last?.withheld)
    return this.seen().filter(({ id, healthy, leaving }) => healthy === true && !leaving && !withheld.has(id))
      .length
  }
}

const good: Verdict = { kind: 'good', says: 'fine' }
const worlds = fc.record({
  replicas: fc.integer({ min: 1, max: 6 }),
  old: fc.integer({ min: 1, max: 6 }),
  surge: fc.integer({ min: 1, max: 4 }),
  canaries: fc.integer({ min: 1, max: 3 }),
  startMs: fc.integer({ min: 0, max: 4000 }),
  stopMs: fc.integer({ min: 0, max: 3000 }),
  drainMs: fc.constantFrom(0, 500, 2000),
  choosesReplica: fc.boolean(),
  learnsEveryMs: fc.constantFrom(250, 1000, 7000),
  /** Control dies and forgets at these steps. */
  deaths: fc.uniqueArray(fc.integer({ min: 1, max: 100 }), { maxLength: 4 }),
})

describe('a rollout', () => {
  test('gets there, and at no step serve fewer than are wished, nor are there more than the surge allows', () => {
    fc.assert(
      fc.property(worlds, ({ replicas, old, surge, canaries, drainMs, deaths, ...how }) => {
        const service = wished({ replicas, rollout: { ...rule, surge, canaries, drainMs } })
        const world = new World(service, { ...how, verdict: good }, old)
        for (let turn = 0; turn < 1200; turn++) {
          if (deaths.includes(turn)) world.memory = null
          world.step()
          expect(world.serving()).toBeGreaterThanOrEqual(Math.min(replicas, old))
          const most = how.choosesReplica
            ? Math.max(old, replicas) + Math.max(surge, canaries)
            : old + replicas
          expect(world.bodies.length).toBeLessThanOrEqual(most)
        }
        expect(world.torn).toEqual([])
        expect(world.last?.phase).toBe('steady')
        expect(world.seen().map(({ hash }) => hash)).toEqual(Array.from({ length: replicas }, () => 'new'))
      }),
    )
  })

  test('that never gets well is given up, and the old replicas have not been touched', () => {
    fc.assert(
      fc.property(worlds, ({ replicas, old, surge, canaries, ...how }) => {
        const service = wished({ replicas, rollout: { ...rule, surge, canaries } })
        const world = new World(service, { ...how, startMs: -1, verdict: good }, old)
        const before = world.seen().map(({ id }) => id)
        for (let turn = 0; turn < 100; turn++) world.step()
        expect(world.refused).toContain('was not healthy within 5 s')
        expect(world.last?.phase).toBe('refused')
        expect(world.seen().map(({ id }) => id)).toEqual(before)
      }),
    )
  })

  test('whose canary is worse is given up before a second one is started', () => {
    const verdict: Verdict = { kind: 'worse', because: '9 % of its requests failed' }
    const world = new World(
      wished({ replicas: 4 }),
      { startMs: 500, stopMs: 0, choosesReplica: true, learnsEveryMs: 1000, verdict },
      4,
    )
    let mostNew = 0
    for (let turn = 0; turn < 60; turn++) {
      world.step()
      mostNew = Math.max(mostNew, world.seen().filter(({ hash }) => hash === 'new').length)
    }
    expect(mostNew).toBe(1)
    expect(world.refused).toBe('9 % of its requests failed')
    expect(world.torn).toEqual([])
    expect(world.seen().map(({ hash }) => hash)).toEqual(['old', 'old', 'old', 'old'])
  })

  test('in place stops first and starts then', () => {
    const service = wished({ replicas: 1, rollout: { ...rule, inPlace: true } })
    const world = new World(
      service,
      { startMs: 500, stopMs: 700, choosesReplica: true, learnsEveryMs: 250, verdict: good },
      1,
    )
    for (let turn = 0; turn < 40; turn++) {
      world.step()
      expect(world.bodies.length).toBeLessThanOrEqual(1)
    }
    expect(world.last?.phase).toBe('steady')
    expect(world.seen()[0]?.hash).toBe('new')
  })

  test('of a service whose needs are not well waits', () => {
    const scene = {
      service: wished(),
      seen: [],
      missing: ['main'],
      memory: null,
      verdict: { kind: 'pending' } as const,
      refused: null,
      choosesReplica: true,
      nowMs: 0,
    }
    expect(decideRollout(scene)).toMatchObject({ groups: [], phase: 'waiting', says: 'web waits for main' })
    expect(decideRollout({ ...scene, missing: [] }).groups).toMatchObject([{ hash: 'new', replicas: 2 }])
  })
})
