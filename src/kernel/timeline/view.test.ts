import { describe, expect, it } from 'vitest'
import { virtualClock } from '../std/index.ts'
import { newFact, newFacts } from './conformance/facts.ts'
import { memoryTimeline, startView, startViews, type Fact, type Fold, type Timeline } from './index.ts'

type Count = { readonly facts: number; readonly last: number }

const count: Fold<Count> = {
  name: 'count@1',
  initial: { facts: 0, last: 0 },
  step: ({ facts }, fact) => ({ facts: facts + 1, last: fact.sequence }),
}

const bySubject: Fold<{ readonly [subject: string]: number }> = {
  name: 'subjects@1',
  initial: {},
  step: (state, { subject }) => ({ ...state, [subject ?? '']: (state[subject ?? ''] ?? 0) + 1 }),
}

const make = (): Timeline => memoryTimeline({ clock: virtualClock() })

/** Lets saves that are under way arrive. */
const settled = async (): Promise<unknown> => await new Promise((resolve) => setImmediate(resolve))

describe('a view', () => {
  it('replays the past and includes every append that has resolved', async () => {
    const timeline = make()
    await timeline.append(newFacts(2500))
    const view = await startView(timeline, count)
    expect(view.state).toEqual({ facts: 2500, last: 2500 })
    await timeline.append(newFacts(3))
    expect(view.state).toEqual({ facts: 2503, last: 2503 })
    await view.close()
    await timeline.append(newFacts(1))
    expect(view.state.facts).toBe(2503)
  })

  it('misses nothing that is appended while it starts', async () => {
    const timeline = make()
    await timeline.append(newFacts(5000))
    const starting = startView(timeline, count)
    const appending = Promise.all(Array.from({ length: 200 }, () => timeline.append(newFacts(1))))
    const view = await starting
    await appending
    expect(view.state).toEqual({ facts: 5200, last: 5200 })
  })

  it('starts from its checkpoint and reads only the tail', async () => {
    const timeline = make()
    await timeline.append(newFacts(100))
    await (await startView(timeline, count)).close()
    await timeline.append(newFacts(5))
    const read: Fact[] = []
    const watched = {
      ...timeline,
      read: async (...query: Parameters<Timeline['read']>) => {
        const facts = await timeline.read(...query)
        read.push(...facts)
        return facts
      },
    }
    const view = await startView(watched, count)
    expect(view.state.facts).toBe(105)
    expect(read).toHaveLength(5)
  })

  it('saves a checkpoint every so many facts, so that a crash costs only a longer replay', async () => {
    const timeline = make()
    const view = await startView(timeline, count, { checkpointEvery: 10 })
    for (let fact = 0; fact < 25; fact++) {
      await timeline.append(newFacts(1))
      await settled()
    }
    const checkpoint = await timeline.loadCheckpoint('count@1')
    expect(checkpoint?.sequence).toBeGreaterThan(10)
    expect(checkpoint?.state).toEqual({ facts: checkpoint?.sequence, last: checkpoint?.sequence })
    expect(view.state.facts).toBe(25)
    const afterCrash = await startView(timeline, count)
    expect(afterCrash.state).toEqual(view.state)
  })

  it('forgets a checkpoint from beyond the end: the timeline was replaced by an older one', async () => {
    const timeline = make()
    await timeline.append(newFacts(3))
    await timeline.saveCheckpoint('count@1', { sequence: 9, state: { facts: 9, last: 9 } })
    expect((await startView(timeline, count)).state).toEqual({ facts: 3, last: 3 })
  })

  it('goes on when a checkpoint cannot be saved, and saves it with the next facts', async () => {
    const timeline = make()
    let isFull = true
    const failing: Timeline = {
      ...timeline,
      saveCheckpoint: async (...checkpoint) => {
        if (isFull) throw new Error('no space')
        await timeline.saveCheckpoint(...checkpoint)
      },
    }
    const view = await startView(failing, count, { checkpointEvery: 2 })
    await timeline.append(newFacts(4))
    await settled()
    expect(view.state.facts).toBe(4)
    isFull = false
    await timeline.append(newFacts(1))
    await settled()
    expect((await timeline.loadCheckpoint('count@1'))?.sequence).toBe(5)
  })

  it('says which fact its fold failed at, and harms nobody else', async () => {
    const timeline = make()
    const fold: Fold<Count> = {
      ...count,
      step: (state, fact) => {
        if (fact.kind === 'house.poisoned') throw new Error('unexpected')
        return count.step(state, fact)
      },
    }
    const view = await startView(timeline, fold)
    const sound = await startView(timeline, { ...count, name: 'sound@1' })
    await timeline.append([newFact(), newFact({ kind: 'house.poisoned' })])
    expect(() => view.state).toThrow('the fold count@1 failed at fact 2 (house.poisoned)')
    expect(sound.state.facts).toBe(2)
    await expect(startView(timeline, fold)).rejects.toMatchObject({
      code: 'timeline.fold-failed',
      kind: 'bug',
    })
  })
})

describe('views together', () => {
  it('share one pass, wherever their checkpoints are', async () => {
    const timeline = make()
    await timeline.append(newFacts(10, { subject: 'service:web' }))
    await (await startView(timeline, count)).close()
    await timeline.append(newFacts(5))
    const { views, close } = await startViews(timeline, { count, bySubject })
    expect(views.count.state).toEqual({ facts: 15, last: 15 })
    expect(views.bySubject.state).toEqual({ 'service:web': 10, '': 5 })
    await timeline.append(newFacts(1))
    expect(views.count.state.facts).toBe(16)
    await close()
    expect((await timeline.loadCheckpoint('subjects@1'))?.sequence).toBe(16)
  })
})
