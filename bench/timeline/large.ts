import { systemClock, systemRandom, type Severity } from '../../src/kernel/std/index.ts'
import { createStamp } from '../../src/kernel/timeline/draft.ts'
import type { FactQuery, NewFact } from '../../src/kernel/timeline/index.ts'
import { openForWriting } from '../../src/kernel/timeline/sqlite/file.ts'
import { createInserter } from '../../src/kernel/timeline/sqlite/inserter.ts'
import type { SentDraft } from '../../src/kernel/timeline/sqlite/protocol.ts'
import { headFrom, headQuery } from '../../src/kernel/timeline/sqlite/schema.ts'

const transactionFacts = 50_000
const rooms = ['environment', 'edge', 'house', 'supervisor', 'backups', 'secrets']
const perRoom = 8

/** Builds a timeline of valid facts as fast as it goes: the product's own inserter, but large transactions and no fsync. */
export function buildLargeTimeline(path: string, count: number): void {
  const db = openForWriting(path, null)
  db.exec('PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 20000')
  const inserter = createInserter(db)
  let head = headFrom(db.prepare(headQuery).get())
  const clock = { ...systemClock, now: () => Date.UTC(2026, 0, 1) + head.sequence * 1000 }
  const stamp = createStamp(clock, systemRandom, 0)
  for (let done = 0; done < count; done += transactionFacts) {
    const drafts: SentDraft[] = []
    for (let index = done; index < Math.min(count, done + transactionFacts); index++) {
      const { fact, ...rest } = stamp(largeFact(index, count))
      drafts.push({ ...fact, ...rest })
    }
    db.exec('BEGIN')
    head = inserter.append(head, drafts, [])
    db.exec('COMMIT')
  }
  db.close()
}

/** A fixed scatter of the numbers, so that neighbours differ. */
function scatter(index: number, salt: number): number {
  return Math.imul(index ^ salt, 0x9e3779b1) >>> 8
}

/** Bursts of 1 to 8 like facts, 48 kinds, 200 subjects; a rare kind, subject, combination and severity, spread evenly. */
function largeFact(index: number, count: number): NewFact {
  const burst = Math.floor(index / (1 + (scatter(index >> 3, 7) % 8)))
  const room = rooms[scatter(burst, 1) % rooms.length] ?? 'house'
  const isRare = index % Math.ceil(count / 150) === 77
  const isRarePair = index % Math.ceil(count / 150) === 1077
  return {
    kind: isRare
      ? 'backups.drill-failed'
      : isRarePair
        ? 'edge.happened-1'
        : `${room}.happened-${scatter(burst, 2) % perRoom}`,
    severity: severityAt(index, isRare),
    subject: isRarePair || isRare ? 'service:rare' : `service:${scatter(burst, 3) % 200}`,
    actor: 'holdfast',
    correlation: index % 10 === 0 ? `job-${Math.floor(index / 100)}` : null,
    data: {
      service: 'web',
      replica: index % 4,
      pid: 4211 + (index % 100),
      port: 34_567,
      reason: 'the load was high',
    },
  }
}

function severityAt(index: number, isRare: boolean): Severity {
  if (isRare) return 'critical'
  if (index % 100 === 0) return 'warning'
  return index % 10 === 0 ? 'notice' : 'info'
}

/** Filters a person or a program sets, among them the worst that we could think of. */
export function largeQueries(count: number): Readonly<Record<string, FactQuery>> {
  const since = Date.UTC(2026, 0, 1) + count * 300
  return {
    'no filter': {},
    'a common kind': { kinds: ['edge.happened-3'] },
    'a rare kind, spread over all': { kinds: ['backups.drill-failed'] },
    'a room': { kinds: ['environment.*'] },
    'three rooms': { kinds: ['environment.*', 'edge.*', 'house.*'] },
    'a subject': { subject: 'service:17' },
    'a rare subject': { subject: 'service:rare' },
    'warning or worse': { minimumSeverity: 'warning' },
    critical: { minimumSeverity: 'critical' },
    'a kind of a subject': { kinds: ['edge.happened-3'], subject: 'service:17' },
    'a rare kind of a rare subject': { kinds: ['edge.happened-1'], subject: 'service:rare' },
    'a room of a subject at warning or worse': {
      kinds: ['edge.*'],
      subject: 'service:17',
      minimumSeverity: 'warning',
    },
    'a room at warning or worse, in the first third of the time': {
      kinds: ['environment.*'],
      minimumSeverity: 'warning',
      until: since,
    },
    'a correlation': { correlation: `job-${Math.floor(count / 200)}` },
    'a correlation of a room': { correlation: `job-${Math.floor(count / 200)}`, kinds: ['edge.*'] },
    'a kind that there is not': { kinds: ['edge.never-happened'] },
  }
}
