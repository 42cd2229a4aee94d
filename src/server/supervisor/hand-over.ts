import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { belongAsDirectory, replaceFile } from '../files/index.ts'
import { systemClock } from '../../kernel/std/index.ts'
import { endLeftovers } from './leftovers.ts'
import { isRunning } from './lock.ts'
import { dataLayout, processLog, type DataLayout } from './paths.ts'
import { isPlan, supervisorScript, type SupervisorPlan } from './plan.ts'

/** What another supervisor, of another version perhaps, is started with in our place. */
export interface HandOver {
  /** Absolute paths of a runtime and of the script of a supervisor. */
  readonly node: string
  readonly script: string
  /** Its descriptors are ours, in our order. */
  readonly plan: SupervisorPlan
  /**
   * `keep`: a copy of the stores is put aside, for the next version changes them; `bring-back`: the stores are as they
   * were when they were put aside; `leave`: neither.
   */
  readonly stores: 'keep' | 'bring-back' | 'leave'
}

/** Exit code of a supervisor that another one has taken over from. */
export const HANDED_OVER = 3

const READY_TIMEOUT_MS = 30_000
const POLL_MS = 20

/** Reads what came over the socket; undefined when it is none. */
export function parseHandOver(value: unknown): HandOver | undefined {
  const { node, script, plan, stores } = (value ?? {}) as Partial<Record<keyof HandOver, unknown>>
  if (typeof node !== 'string' || typeof script !== 'string' || !isPlan(plan)) return undefined
  return stores === 'keep' || stores === 'bring-back' || stores === 'leave'
    ? { node, script, plan, stores }
    : undefined
}

/** What passing on works with. */
export interface Passing {
  readonly own: SupervisorPlan
  readonly layout: DataLayout
  /** Ends control and edge. */
  readonly letGo: () => Promise<void>
  /** Releases our lock on the data directory. */
  readonly release: () => void
}

/**
 * Starts the next supervisor on our listening sockets, lets go of the house, for whose lock it waits, and waits until it
 * answers. One that does not is ended, and our own program is started in its place. The sockets are never closed:
 * whoever connects meanwhile waits. Resolves when one of them runs, or neither.
 */
export async function passOn(next: HandOver, { own, layout, letGo, release }: Passing): Promise<void> {
  const sockets = own.processes.flatMap(({ descriptors }) => descriptors)
  const descriptors = [...new Set(sockets)].sort((one, other) => one - other)
  const again: HandOver = { node: own.node, script: supervisorScript(), plan: own, stores: 'leave' }
  // It loads while control and edge still work.
  const first = startOn(descriptors, next, layout)
  await letGo()
  if (next.stores === 'keep') copyStores(layout.data, asideOf(layout))
  if (next.stores === 'bring-back') copyStores(asideOf(layout), layout.data)
  release()
  if (await getsReady(first, layout.data)) return
  first.kill('SIGKILL')
  await endLeftovers(layout.data)
  if (next.stores === 'keep') copyStores(asideOf(layout), layout.data)
  await getsReady(startOn(descriptors, again, layout), layout.data)
}

/** Whether one supervisor is about to take over from another on this data directory: none may live for a moment. */
export function isHandingOver(dataDirectory: string): boolean {
  return existsSync(dataLayout(dataDirectory).handOverFile)
}

/** Says in `run/` that the house changes hands, so that nobody takes it for dead. */
export function markHandOver(layout: DataLayout): void {
  replaceFile(layout.handOverFile, JSON.stringify({ pid: process.pid }), false)
}

/** The next one runs, or there will be none. */
export function unmarkHandOver(layout: DataLayout): void {
  rmSync(layout.handOverFile, { force: true })
}

function startOn(
  descriptors: readonly number[],
  { node, script, plan }: HandOver,
  layout: DataLayout,
): ChildProcess {
  const log = openSync(processLog(layout, 'supervisor'), 'a', 0o600)
  try {
    return spawn(node, [script], {
      detached: true,
      stdio: ['ignore', log, log, ...descriptors],
      env: { ...process.env, HOLDFAST_PLAN: JSON.stringify(plan) },
    }).on('error', () => undefined)
  } finally {
    closeSync(log)
  }
}

async function getsReady(child: ChildProcess, data: string): Promise<boolean> {
  const deadlineMs = systemClock.monotonicMs() + READY_TIMEOUT_MS
  while (systemClock.monotonicMs() < deadlineMs) {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return false
    if ((await isRunning(data))?.pid === child.pid) return true
    await systemClock.sleep(POLL_MS)
  }
  return false
}

const asideOf = (layout: DataLayout): string => join(layout.state, 'stores-before-upgrade')

/** Removes the copy of the stores that was put aside: there is no way back any more. */
export function forgetStores(dataDirectory: string): void {
  rmSync(asideOf(dataLayout(dataDirectory)), { recursive: true, force: true })
}

/** The stores of control, what their logs hold, and what is known of the timeline's end. */
const isStore = (name: string): boolean =>
  (/\.db(?:-wal)?$/.test(name) && !['lock.db', 'start.db'].includes(name)) || name === 'timeline.head'

function copyStores(from: string, to: string): void {
  mkdirSync(to, { recursive: true, mode: 0o700 })
  for (const name of readdirSync(to).filter(isStore)) rmSync(join(to, name))
  for (const name of readdirSync(from).filter(isStore)) {
    copyFileSync(join(from, name), join(to, name))
    const copy = openSync(join(to, name), 'r')
    try {
      belongAsDirectory(copy, join(to, name))
    } finally {
      closeSync(copy)
    }
  }
}
