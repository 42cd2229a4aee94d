import { parentPort, workerData } from 'node:worker_threads'
import { createLimiter, type LimiterOptions, type Take } from './index.ts'

/** What a hammering thread is told. */
export interface Hammer {
  readonly options: LimiterOptions
  readonly buffer: SharedArrayBuffer
  /** Threads that have to be ready before any begins: one word that counts them. */
  readonly gate: SharedArrayBuffer
  readonly threads: number
  readonly turns: number
  /** Requests to make in turn: by `takeText` if there is only a text. */
  readonly requests: readonly (readonly { limit: number; text: string; cost: number }[])[]
  /** All at one time, or a step further every so many turns. */
  readonly nowMs: number
  /** What was admitted is given back at once, leases too. */
  readonly releases: boolean
  /** Threads begin at different requests. */
  readonly offset: number
}

const { options, buffer, gate, threads, turns, requests, nowMs, releases, offset } = workerData as Hammer
const limiter = createLimiter({ ...options, buffer })
const gateWord = new Int32Array(gate)
Atomics.add(gateWord, 0, 1)
while (Atomics.load(gateWord, 0) < threads) Atomics.wait(gateWord, 0, Atomics.load(gateWord, 0), 1)

const admitted = requests.map(() => 0)
for (let turn = 0; turn < turns; turn++) {
  const index = (turn + offset) % requests.length
  const request = requests[index] ?? []
  const takes: readonly Take[] = request.map(({ limit, text, cost }) => ({
    limit,
    cost,
    key: limiter.hash(text),
  }))
  const isSingle = request.length === 1 && request[0]?.cost === 1 && !releases
  const isAdmitted = isSingle
    ? limiter.takeText(request[0]?.limit ?? 0, request[0]?.text ?? '', nowMs) === 0
    : limiter.take(takes, nowMs).admitted
  if (isAdmitted) admitted[index] = (admitted[index] ?? 0) + 1
  if (isAdmitted && releases) limiter.refund(takes, nowMs, nowMs)
}
limiter.close()
parentPort?.postMessage(admitted)
