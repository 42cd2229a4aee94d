import { errorFromPlain, HoldfastError, systemCode, type Random } from '../../../../kernel/std/index.ts'
import type { Handout, IdentityMaterial, KeyPair, Place } from '../shared/index.ts'
import type { TargetBoard, ThreadGround, ThreadNews } from '../shared/index.ts'
import { openSeat, type Seat } from './seat.ts'

/** A listening socket, as the edge process was given it. */
export interface InheritedListener {
  readonly host: string
  readonly port: number
  /** One for each thread, and spares; empty: the edge opens the address itself. */
  readonly descriptors: readonly number[]
}

/** What a crew works with. */
export interface CrewParts {
  readonly threads: number
  readonly listeners: readonly InheritedListener[]
  readonly board: TargetBoard
  readonly random: Random
  readonly seed: readonly [number, number]
  readonly pseudonym: string
  /** What a thread says without being asked. */
  readonly onNews: (news: ThreadNews) => void
  /** See `ThreadGround`. */
  readonly timeOriginMs: number
  /** See `ThreadGround`. */
  readonly counterStore: string | null
  /** A thread ended by itself and was replaced. */
  readonly onReplaced: (why: string) => void
  /** There is no descriptor left for a further thread: the process has to start afresh. */
  readonly onExhausted: (why: string) => void
}

/** The threads that serve traffic. */
export interface Crew {
  /**
   * Makes all threads ready for a policy, then puts it into effect in all; answers with the ports listened on. When one
   * of them cannot, none changes. Errors: those of the policy.
   */
  apply(handout: Handout): Promise<readonly number[]>
  setKeyPairs(keyPairs: readonly (KeyPair | null)[]): void
  setIdentity(identity: IdentityMaterial): void
  /** Stops accepting, lets requests end until the deadline, ends the threads. */
  drain(deadlineMs: number): Promise<void>
  /** For tests: ends a thread as a crash would. */
  crash(thread: number): Promise<void>
}

/** Creates the crew; threads start now and wait for a policy. */
export function createCrew(parts: CrewParts): Crew {
  return new ThreadCrew(parts)
}

class ThreadCrew implements Crew {
  readonly #parts: CrewParts
  readonly #seats: Seat[] = []
  readonly #descriptors: number[][]
  #handout: Handout | null = null
  #isDraining = false
  /** Policies and replacements, one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(parts: CrewParts) {
    this.#parts = parts
    this.#descriptors = parts.listeners.map(({ descriptors }) => [...descriptors])
    for (let thread = 0; thread < parts.threads; thread++) this.#seat(thread)
  }

  apply(handout: Handout): Promise<readonly number[]> {
    return this.#inTurn(async () => {
      const prepared = await Promise.all(
        this.#seats.map((seat) => seat.ask({ say: 'prepare', handout }, 'prepared').catch(ignoreEnded)),
      )
      const trouble = prepared.find((answer) => answer !== null && answer.trouble !== null)?.trouble
      if (trouble !== undefined && trouble !== null) throw errorFromPlain(trouble)
      this.#handout = handout
      const { number } = handout
      const serving = await Promise.all(
        this.#seats.map((seat) => seat.ask({ say: 'swap', number }, 'serving').catch(ignoreEnded)),
      )
      return serving.find((answer) => answer !== null)?.ports ?? []
    })
  }

  setKeyPairs(keyPairs: readonly (KeyPair | null)[]): void {
    if (this.#handout !== null) this.#handout = { ...this.#handout, keyPairs }
    for (const seat of this.#seats) seat.tell({ say: 'key-pairs', keyPairs })
  }

  setIdentity(identity: IdentityMaterial): void {
    if (this.#handout !== null) this.#handout = { ...this.#handout, identity }
    for (const seat of this.#seats) seat.tell({ say: 'identity', identity })
  }

  async drain(deadlineMs: number): Promise<void> {
    this.#isDraining = true
    await Promise.all(
      this.#seats.map((seat) => seat.ask({ say: 'drain', deadlineMs }, 'drained').catch(ignoreEnded)),
    )
    await Promise.all(this.#seats.map((seat) => seat.end()))
  }

  async crash(thread: number): Promise<void> {
    await this.#seats[thread]?.end()
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(act)
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  #seat(thread: number): boolean {
    const places = this.#places()
    if (places === null) return false
    const { threads, board, seed, pseudonym, timeOriginMs, random, counterStore } = this.#parts
    const ground: ThreadGround = {
      thread,
      threads,
      targets: board.buffer,
      seed,
      randomSeed: Math.floor(random.next() * 2 ** 32),
      pseudonym,
      timeOriginMs,
      places,
      counterStore,
    }
    const seat = openSeat(ground, this.#parts.onNews)
    this.#seats[thread] = seat
    void seat.ended.then((why) => this.#ended(thread, why))
    return true
  }

  /** A descriptor for each listener; null when a listener has none left. */
  #places(): readonly Place[] | null {
    const places: Place[] = []
    for (const [index, { host, port, descriptors }] of this.#parts.listeners.entries()) {
      const descriptor = descriptors.length === 0 ? null : this.#descriptors[index]?.shift()
      if (descriptor === undefined) return null
      places.push({ host, port, descriptor })
    }
    return places
  }

  #ended(thread: number, why: string): void {
    if (this.#isDraining) return
    this.#parts.board.clearThread(thread)
    void this.#inTurn(async () => {
      if (!this.#seat(thread)) return this.#parts.onExhausted(why)
      const seat = this.#seats[thread]
      const handout = this.#handout
      if (seat !== undefined && handout !== null) {
        await seat.ask({ say: 'prepare', handout }, 'prepared')
        await seat.ask({ say: 'swap', number: handout.number }, 'serving')
      }
      this.#parts.onReplaced(why)
    }).catch(ignoreEnded)
  }
}

/** A thread that ends is replaced and gets the policy then. */
function ignoreEnded(error: unknown): null {
  if (systemCode(error) === 'edge.thread-ended' || !(error instanceof HoldfastError)) return null
  throw error
}
