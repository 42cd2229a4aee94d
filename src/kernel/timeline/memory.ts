import { HoldfastError, systemClock, systemRandom, type Clock, type Random } from '../std/index.ts'
import { judge, type Walked } from './anchor.ts'
import { checkLink, genesis, hashLink, type Entry } from './chain.ts'
import { createStamp, factOf, placed, type Draft } from './draft.ts'
import { createListeners, followTimeline } from './follow.ts'
import { importInto } from './import.ts'
import { checkpointLine, entryLine, headOf, openingLine, refused, type NamedCheckpoint } from './lines.ts'
import type { Checkpoint, Fact, FactQuery, Head, Retention, Timeline, VerifyOptions } from './port.ts'
import { factMatches, searchFor } from './query.ts'
import { cutBelow, permittedBy } from './retention.ts'

/** What an in-memory timeline is made with. */
export interface MemoryOptions {
  readonly clock?: Clock
  readonly random?: Random
  /** Most facts that it holds; an append beyond is refused with `timeline.full`. Default 1,000,000. */
  readonly maxFacts?: number
}

interface SavedCheckpoint extends Checkpoint {
  readonly touchedAt: number
}

interface Memory {
  entries: Entry[]
  base: Head
  checkpoints: Map<string, SavedCheckpoint>
  readonly registered: Set<string>
}

/** A timeline in memory, for tests, simulations and dry runs: the same chain and the same rules, but no disk. */
export function memoryTimeline(options: MemoryOptions = {}): Timeline {
  const { clock = systemClock, random = systemRandom, maxFacts = 1_000_000 } = options
  const memory: Memory = { entries: [], base: genesis, checkpoints: new Map(), registered: new Set() }
  const listeners = createListeners()
  const closing = new AbortController()
  let stamp = createStamp(clock, random, 0)

  const open = async <T>(act: () => T): Promise<T> => {
    if (closing.signal.aborted) throw closedError()
    return act()
  }
  const timeline: Timeline = {
    append: (facts) =>
      open(() => {
        const drafts = facts.map((fact) => stamp(fact))
        if (memory.entries.length + drafts.length > maxFacts) throw fullError(maxFacts)
        const appended = drafts.map((draft) => link(memory, draft))
        if (appended.length > 0) listeners.tell(appended)
        return appended
      }),
    onAppended: (listener) => listeners.add(listener),
    read: (query) => open(() => search(memory, query)),
    follow: (query, signal) =>
      followTimeline(
        { timeline, lastSequence: () => headIn(memory).sequence, closed: closing.signal },
        query,
        signal,
      ),
    head: () => open(() => (headIn(memory).sequence === 0 ? null : headIn(memory))),
    verify: (verifyOptions = {}) => open(() => verify(memory, verifyOptions)),
    erase: (sequence) => open(() => erase(memory, sequence)),
    exportLines: () => exportLines(memory),
    importLines: async (lines) => {
      if (headIn(memory).sequence > 0) throw refused('the timeline is not empty')
      if (listeners.size > 0) throw refused('views or followers listen to the timeline already')
      const count = await importToMemory(memory, lines)
      stamp = createStamp(clock, random, headIn(memory).at)
      return count
    },
    loadCheckpoint: (name) => open(() => loadCheckpoint(memory, name, clock.now())),
    saveCheckpoint: (name, { sequence, state }) =>
      open(() => {
        const copy = JSON.parse(JSON.stringify(state)) as Checkpoint['state']
        memory.checkpoints.set(name, { sequence, state: copy, touchedAt: clock.now() })
      }),
    retain: (retention) => open(() => retain(memory, retention, clock.now())),
    close: () => Promise.resolve(closing.abort()),
  }
  return timeline
}

function headIn({ entries, base }: Memory): Head {
  const last = entries.at(-1)
  return last === undefined ? base : headOf(last)
}

function link(memory: Memory, { fact, salt, text, payloadHash }: Draft): Fact {
  const previous = headIn(memory)
  const sequence = previous.sequence + 1
  const { data: _, ...rest } = fact
  const hash = hashLink(previous.hash, { ...rest, sequence }, payloadHash)
  memory.entries.push({ ...rest, sequence, salt, text, payloadHash, hash })
  return placed(fact, sequence, hash)
}

function search({ entries }: Memory, query: FactQuery): readonly Fact[] {
  const wanted = searchFor(query)
  const found: Fact[] = []
  for (let step = 0; step < entries.length && found.length < wanted.limit; step++) {
    const entry = entries[wanted.newestFirst ? entries.length - 1 - step : step]
    if (entry === undefined) continue
    const fact = factOf(entry)
    if (factMatches(wanted, fact)) found.push(fact)
  }
  return found
}

function walk({ entries, base }: Memory, end: Head): Walked {
  let walked: Walked = { checked: 0, base, head: base, broken: null }
  for (const entry of entries) {
    if (walked.broken !== null || entry.sequence > end.sequence) break
    const broken = checkLink(walked.head, entry)
    walked =
      broken === null
        ? { ...walked, checked: walked.checked + 1, head: headOf(entry) }
        : { ...walked, broken }
  }
  return walked
}

function verify(memory: Memory, { anchor, onProgress }: VerifyOptions): ReturnType<typeof judge> {
  const walked = walk(memory, headIn(memory))
  onProgress?.(1)
  return judge(
    walked,
    anchor,
    memory.entries.find((entry) => entry.sequence === anchor?.sequence)?.hash ?? null,
  )
}

function erase(memory: Memory, sequence: number): boolean {
  const index = sequence - memory.base.sequence - 1
  const entry = memory.entries[index]
  if (entry === undefined) return false
  memory.entries[index] = { ...entry, salt: null, text: null }
  return true
}

async function* exportLines(memory: Memory): AsyncGenerator<string> {
  const { base, checkpoints } = memory
  const entries = [...memory.entries]
  yield openingLine(base, headIn(memory))
  for (const entry of entries) yield entryLine(entry)
  if (base.sequence === 0) return
  for (const [name, { sequence, state }] of checkpoints) yield checkpointLine({ name, sequence, state })
}

async function importToMemory(memory: Memory, lines: AsyncIterable<string>): Promise<number> {
  const imported: Entry[] = []
  return await importInto(
    {
      take: async (entries) => {
        for (const entry of entries) imported.push(entry)
      },
      finish: async (base, _head, checkpoints) => {
        if (headIn(memory).sequence > 0) throw refused('facts were appended meanwhile')
        memory.entries = imported
        memory.base = base
        memory.checkpoints = new Map(checkpoints.map(savedNow))
      },
    },
    lines,
  )
}

function savedNow({ name, sequence, state }: NamedCheckpoint): [string, SavedCheckpoint] {
  return [name, { sequence, state, touchedAt: Number.MAX_SAFE_INTEGER }]
}

function loadCheckpoint(memory: Memory, name: string, nowMs: number): Checkpoint | null {
  memory.registered.add(name)
  const saved = memory.checkpoints.get(name)
  if (saved === undefined) return null
  memory.checkpoints.set(name, { ...saved, touchedAt: nowMs })
  return { sequence: saved.sequence, state: saved.state }
}

function retain(memory: Memory, { maxAgeMs, maxSizeBytes }: Retention, nowMs: number): number {
  const uses = [...memory.checkpoints].map(([name, { sequence, touchedAt }]) => ({
    name,
    sequence,
    touchedAt,
  }))
  const { upTo, abandoned } = permittedBy(uses, memory.registered, nowMs)
  for (const name of abandoned) memory.checkpoints.delete(name)
  const wanted = Math.max(tooOld(memory, nowMs - maxAgeMs), tooMuch(memory, maxSizeBytes))
  const cut = cutBelow(Math.min(upTo, wanted))
  const gone = memory.entries.filter(({ sequence }) => sequence <= cut)
  const last = gone.at(-1)
  if (last === undefined) return 0
  memory.base = headOf(last)
  memory.entries = memory.entries.slice(gone.length)
  return gone.length
}

/** The last fact before `limitAt`. */
function tooOld({ entries }: Memory, limitAt: number): number {
  return entries.findLast(({ at }) => at < limitAt)?.sequence ?? 0
}

/** The newest fact that must go for the rest to fit; a fact counts as its line in an export. */
function tooMuch({ entries }: Memory, maxSizeBytes: number): number {
  let sizeBytes = 0
  const tooOld = entries.findLast((entry) => {
    sizeBytes += Buffer.byteLength(entryLine(entry))
    return sizeBytes > maxSizeBytes
  })
  return tooOld?.sequence ?? 0
}

function closedError(): HoldfastError {
  return new HoldfastError({
    code: 'timeline.closed',
    kind: 'operational',
    message: 'the timeline is closed',
  })
}

function fullError(maxFacts: number): HoldfastError {
  return new HoldfastError({
    code: 'timeline.full',
    kind: 'operational',
    message: `the timeline in memory holds its ${maxFacts} facts`,
    hint: 'apply retention, or use a timeline on disk',
  })
}
