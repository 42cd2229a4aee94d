import type { DesiredReplicas, ReplicaStatus, Tampering } from '../../../contracts/supervisor.ts'
import { HoldfastError, type Clock } from '../../../kernel/std/index.ts'
import type { ProcessTable } from '../machine/process-table.ts'
import { replicaLog, type DataLayout } from '../paths.ts'
import type { EventParts } from '../records/event-log.ts'
import { accept } from './accepted.ts'
import { readDesire, writeDesire, type ReadDesire } from './desired-file.ts'
import { findLeftReplicas } from './find-left.ts'
import { createGate, type Gate } from './gate.ts'
import { createPortBook, type PortBook } from './port-book.ts'
import { removeFilesBut } from './place-files.ts'
import type { ReplicaHost } from './replica-host.ts'
import { Replica } from './replica.ts'
import { findTampering } from './find-tampering.ts'
import { readRunRecords, writeRunRecords, type RunRecord } from './run-file.ts'

/** What a crew works with. */
export interface CrewParts {
  readonly clock: Clock
  readonly table: ProcessTable
  readonly host: ReplicaHost
  readonly layout: DataLayout
  /** See `environmentHash`. */
  readonly environment: string
  readonly record: (event: EventParts) => void
  /** Called after each start, so that listeners are looked at soon. */
  readonly started: () => void
}

const STARTS_AT_ONCE = 4
const SAVE_PORTS_MS = 200

/** All replicas of this environment. */
export class Crew {
  readonly #parts: CrewParts
  readonly #replicas = new Map<string, Replica>()
  readonly #gate: Gate = createGate(STARTS_AT_ONCE)
  #ports: PortBook
  #desired: DesiredReplicas = { replicas: [], keep: [] }
  #closed = false
  #left = false
  #savedPorts = ''
  #savingPorts = false
  #notes = new Map<string, string>()

  constructor(parts: CrewParts) {
    this.#parts = parts
    this.#ports = createPortBook(parts.environment, {})
  }

  /** Finds again what an earlier supervisor left and makes run what was last accepted. */
  async open(): Promise<void> {
    const { layout, table, environment } = this.#parts
    const stored = readDesire(layout.desiredFile)
    const records = readRunRecords(layout.runFile)
    const left = findLeftReplicas(table, environment, records)
    await this.#parts.host.killOrphans(left.orphans)
    this.#ports = createPortBook(environment, stored.kind === 'read' ? stored.ports : {})
    for (const record of left.replicas) {
      if (record.port !== null) this.#ports.hold(record.id, record.port)
      this.#slot(record.id).adopt(record)
    }
    this.#resume(stored, records)
  }

  /**
   * Makes exactly these run: starts, replaces and stops what has to be, and leaves alone what fits and what is to be
   * kept. The wish is on disk before anything changes. Errors: `supervisor.not-saved`, `supervisor.duplicate-replica`,
   * `supervisor.stopping`.
   */
  put(asked: DesiredReplicas): void {
    this.#refuseWhenClosed()
    const desired = this.#withKept(asked)
    refuseDuplicates(desired)
    writeDesire(this.#parts.layout.desiredFile, { desired, ports: this.#ports.assigned() })
    this.#ports.keepOnly(desired.replicas)
    this.#notes.delete('desired')
    this.#desired = desired
    this.#apply()
  }

  /** Restarts one. Errors: `supervisor.unknown-replica`, `supervisor.stopping`. */
  restart(id: string): void {
    this.#refuseWhenClosed()
    if (this.#replicas.get(id)?.restart() === true) return
    throw new HoldfastError({
      code: 'supervisor.unknown-replica',
      kind: 'user',
      message: `There is no replica ${id}.`,
    })
  }

  /** Every slot, for sampling. */
  replicas(): Iterable<Replica> {
    return this.#replicas.values()
  }

  statuses(): ReplicaStatus[] {
    return [...this.#replicas.values()].map((replica) => replica.status())
  }

  /** What somebody changed by hand about what runs; looks at every process of the machine. */
  tampering(): Tampering {
    return findTampering([...this.#replicas.values()], this.#parts)
  }

  /** What is wrong, in words. */
  notes(): string[] {
    return [...this.#notes.values(), ...this.#parts.host.notes()]
  }

  /** Stops all at once. What was accepted stays on disk: the next start runs it again. */
  async stop(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#replicas.values()].map((replica) => replica.drop()))
  }

  /** Lets go of them: they run on, for another supervisor, and nothing that they do is our business any more. */
  leave(): void {
    this.#closed = true
    this.#left = true
    for (const replica of this.#replicas.values()) replica.leave()
  }

  #refuseWhenClosed(): void {
    if (!this.#closed) return
    throw new HoldfastError({
      code: 'supervisor.stopping',
      kind: 'operational',
      message: 'The supervisor is stopping.',
    })
  }

  /** What is kept goes on with its specification, or without one when that was lost with the data directory. */
  #withKept({ replicas, keep }: DesiredReplicas): DesiredReplicas {
    const kept = keep.map((id) => ({ id, spec: this.#replicas.get(id)?.wished?.spec }))
    const known = kept.flatMap(({ spec }) => (spec === undefined ? [] : [spec]))
    const lost = kept.filter(({ id, spec }) => spec === undefined && this.#replicas.has(id))
    return { replicas: [...replicas, ...known], keep: lost.map(({ id }) => id) }
  }

  #resume(stored: ReadDesire, records: readonly RunRecord[]): void {
    if (stored.kind === 'read') {
      this.#desired = stored.desired
      this.#ports.keepOnly(stored.desired.replicas)
      this.#noteEnded(records)
      this.#apply()
    } else if (stored.kind === 'broken') {
      const path = this.#parts.layout.desiredFile
      const note = `${path} is unreadable (${stored.why}): what runs is left running until control says what shall`
      this.#notes.set('desired', note)
    }
  }

  /** What ran once, or was about to, when the earlier supervisor ended, and runs no more. */
  #noteEnded(records: readonly RunRecord[]): void {
    for (const spec of this.#desired.replicas.filter(({ restarts }) => !restarts)) {
      const accepted = accept(spec)
      const ran = records.find(({ id, specHash }) => id === spec.id && specHash === accepted.specHash)
      if (ran !== undefined && !this.#replicas.has(spec.id)) this.#slot(spec.id).found(accepted, ran.exit)
    }
  }

  #apply(): void {
    const wanted = new Map(this.#desired.replicas.map((spec) => [spec.id, spec]))
    const kept = new Set(this.#desired.keep)
    for (const [id, replica] of this.#replicas) {
      if (!wanted.has(id) && !kept.has(id)) void replica.drop().then(() => this.#forget(id))
    }
    for (const spec of wanted.values()) this.#slot(spec.id).want(accept(spec))
  }

  #slot(id: string): Replica {
    const found = this.#replicas.get(id)
    if (found !== undefined) return found
    const { clock, host, record, layout } = this.#parts
    const changed = (): void => this.#changed()
    const logFile = replicaLog(layout, id)
    const replica = new Replica(id, {
      clock,
      host,
      ports: this.#ports,
      gate: this.#gate,
      record,
      changed,
      logFile,
    })
    this.#replicas.set(id, replica)
    return replica
  }

  #forget(id: string): void {
    if (this.#replicas.get(id)?.empty === true) this.#replicas.delete(id)
  }

  /** Writes what could not be written before: a full disk may have room again. */
  saveAgain(): void {
    if (this.#notes.has('run')) this.#saveRun()
    if (this.#notes.has('ports')) this.#savePortsSoon()
  }

  #changed(): void {
    if (this.#left) return
    this.#saveRun()
    this.#savePortsSoon()
    this.#parts.started()
  }

  /** At once and not later: a process that is not on record when we are killed would have to be found by its mark. */
  #saveRun(): void {
    const { layout } = this.#parts
    const records = [...this.#replicas.values()].map((replica) => replica.runRecord())
    try {
      writeRunRecords(
        layout.runFile,
        records.filter((record) => record !== null),
      )
      this.#notes.delete('run')
    } catch (error) {
      this.#notes.set('run', `${layout.runFile} cannot be written: ${(error as Error).message}`)
    }
  }

  /** Not with each start: it waits for the disk, and replicas' records know the ports too. */
  #savePortsSoon(): void {
    if (this.#savingPorts) return
    this.#savingPorts = true
    void this.#parts.clock.sleep(SAVE_PORTS_MS).then(() => {
      this.#savingPorts = false
      this.#savePorts()
      this.#removeFiles()
    })
  }

  #removeFiles(): void {
    const replicas = [...this.#replicas.values()]
    const unknown = replicas.filter(({ specs }) => specs.includes(null))
    const services = unknown.map(({ id }) => id.slice(0, id.indexOf('/')))
    const handed = replicas.flatMap(({ specs }) => specs.filter((spec) => spec !== null))
    try {
      if (!this.#closed && !this.#notes.has('desired'))
        removeFilesBut(this.#parts.layout.files, [...this.#desired.replicas, ...handed], new Set(services))
      this.#notes.delete('files')
    } catch (error) {
      this.#notes.set(
        'files',
        `files that nobody is handed any more cannot be removed: ${(error as Error).message}`,
      )
    }
  }

  #savePorts(): void {
    const ports = this.#ports.assigned()
    const text = JSON.stringify(ports)
    if (this.#closed || text === this.#savedPorts || this.#notes.has('desired')) return
    try {
      writeDesire(this.#parts.layout.desiredFile, { desired: this.#desired, ports })
      this.#savedPorts = text
      this.#notes.delete('ports')
    } catch (error) {
      this.#notes.set('ports', (error as Error).message)
    }
  }
}

function refuseDuplicates({ replicas, keep }: DesiredReplicas): void {
  const seen = new Set<string>()
  for (const id of [...replicas.map((spec) => spec.id), ...keep]) {
    if (seen.has(id)) {
      throw new HoldfastError({
        code: 'supervisor.duplicate-replica',
        kind: 'user',
        message: `The replica ${id} is named twice.`,
      })
    }
    seen.add(id)
  }
}
