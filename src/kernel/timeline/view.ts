import { HoldfastError, type JsonObject } from '../std/index.ts'
import type { Checkpoint, Fact, Fold, Timeline, View } from './port.ts'

const pageFacts = 1000

/** How views keep their checkpoints. */
export interface ViewOptions {
  /** A checkpoint is saved whenever this many facts came since the last one. Default 1,000. */
  readonly checkpointEvery?: number
}

/** A view that can be ended. */
export interface RunningView<State> extends View<State> {
  /** Stops following and saves a last checkpoint. */
  readonly close: () => Promise<void>
}

/** Several views that were started together. */
export interface RunningViews<States> {
  readonly views: { readonly [Name in keyof States]: View<States[Name]> }
  /** Stops following and saves a last checkpoint of each. */
  readonly close: () => Promise<void>
}

/** Folds by the name under which their views are found. */
export type Folds<States extends Record<string, JsonObject>> = {
  readonly [Name in keyof States]: Fold<States[Name]>
}

/**
 * Starts a fold: loads its checkpoint, replays the tail, and stays current. When an `append` through this process has
 * resolved, the state includes it. Checkpoints are saved as facts come and at `close`; a crash in between
 * costs nothing but a longer replay. Errors: `timeline.fold-failed`.
 */
export async function startView<State extends JsonObject>(
  timeline: Timeline,
  fold: Fold<State>,
  options?: ViewOptions,
): Promise<RunningView<State>> {
  const cell = createCell(fold)
  const close = await run(timeline, [cell], options)
  return {
    get state() {
      return cell.state()
    },
    close,
  }
}

/** Starts many folds with one pass over the timeline; otherwise like `startView`. */
export async function startViews<States extends Record<string, JsonObject>>(
  timeline: Timeline,
  folds: Folds<States>,
  options?: ViewOptions,
): Promise<RunningViews<States>> {
  const cells: Cell[] = []
  const views: Record<string, View<JsonObject>> = {}
  for (const [name, fold] of Object.entries(folds as unknown as Record<string, Fold<JsonObject>>)) {
    const cell = createCell(fold)
    cells.push(cell)
    views[name] = {
      get state() {
        return cell.state()
      },
    }
  }
  const close = await run(timeline, cells, options)
  return { views: views as RunningViews<States>['views'], close }
}

/** One fold and where it stands. */
interface Cell<State extends JsonObject = JsonObject> {
  readonly name: string
  readonly sequence: () => number
  /** Errors: `timeline.fold-failed`. */
  readonly state: () => State
  readonly restore: (checkpoint: Checkpoint) => void
  readonly step: (fact: Fact) => void
  /** What is to be saved, when it differs from what was saved last by at least so many facts. */
  readonly due: (facts: number) => Checkpoint | null
  readonly saved: (sequence: number) => void
}

function createCell<State extends JsonObject>(fold: Fold<State>): Cell<State> {
  let state = fold.initial
  let sequence = 0
  let savedSequence = -1
  let failure: HoldfastError | null = null
  return {
    name: fold.name,
    sequence: () => sequence,
    state: () => {
      if (failure !== null) throw failure
      return state
    },
    restore: (checkpoint) => {
      state = checkpoint.state as State
      sequence = checkpoint.sequence
      savedSequence = checkpoint.sequence
    },
    step: (fact) => {
      if (failure !== null || fact.sequence <= sequence) return
      try {
        state = fold.step(state, fact)
        sequence = fact.sequence
      } catch (cause) {
        failure = foldFailed(fold.name, fact, cause)
      }
    },
    due: (facts) => (failure === null && sequence - savedSequence >= facts ? { sequence, state } : null),
    saved: (sequence) => {
      savedSequence = sequence
    },
  }
}

function foldFailed(name: string, fact: Fact, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'timeline.fold-failed',
    kind: 'bug',
    message: `the fold ${name} failed at fact ${fact.sequence} (${fact.kind})`,
    cause,
  })
}

async function run(
  timeline: Timeline,
  cells: readonly Cell[],
  { checkpointEvery = 1000 }: ViewOptions = {},
): Promise<() => Promise<void>> {
  const saver = createSaver(timeline, cells, checkpointEvery)
  const live = { is: false, latest: 0 }
  const stopListening = timeline.onAppended((facts) => {
    live.latest = facts.at(-1)?.sequence ?? live.latest
    if (!live.is) return
    for (const fact of facts) for (const cell of cells) cell.step(fact)
    saver.look()
  })
  try {
    await restore(timeline, cells)
    await catchUp(timeline, cells, live)
    for (const cell of cells) cell.state()
    // From here to the end of this function nothing is awaited: no append can slip in between.
    live.is = true
    saver.look()
  } catch (error) {
    stopListening()
    throw error
  }
  return async () => {
    stopListening()
    await saver.finish()
  }
}

async function restore(timeline: Timeline, cells: readonly Cell[]): Promise<void> {
  const head = await timeline.head()
  for (const cell of cells) {
    const checkpoint = await timeline.loadCheckpoint(cell.name)
    // A checkpoint beyond the end belongs to a timeline that was replaced by an older one.
    if (checkpoint !== null && checkpoint.sequence <= (head?.sequence ?? 0)) cell.restore(checkpoint)
  }
}

async function catchUp(timeline: Timeline, cells: readonly Cell[], live: { latest: number }): Promise<void> {
  const head = await timeline.head()
  live.latest = Math.max(live.latest, head?.sequence ?? 0)
  let after = Math.min(...cells.map((cell) => cell.sequence()))
  while (after < live.latest) {
    const { latest } = live
    const page = await timeline.read({ after, limit: pageFacts })
    for (const fact of page) for (const cell of cells) cell.step(fact)
    after = page.at(-1)?.sequence ?? latest
  }
}

/** Saves checkpoints, one at a time. */
interface Saver {
  /** Begins to save what is due; does not wait for it. */
  look(): void
  /** Saves whatever is newer than its checkpoint, and waits. */
  finish(): Promise<void>
}

function createSaver(timeline: Timeline, cells: readonly Cell[], every: number): Saver {
  let saving: Promise<void> = Promise.resolve()
  let isSaving = false
  const saveDue = async (facts: number): Promise<void> => {
    for (const cell of cells) {
      const checkpoint = cell.due(facts)
      if (checkpoint === null) continue
      await timeline.saveCheckpoint(cell.name, checkpoint)
      cell.saved(checkpoint.sequence)
    }
  }
  return {
    look: () => {
      if (isSaving || cells.every((cell) => cell.due(every) === null)) return
      isSaving = true
      // A checkpoint that cannot be saved (a full disk) costs only replay; the next facts bring the next attempt.
      saving = saveDue(every)
        .catch(() => undefined)
        .finally(() => (isSaving = false))
    },
    finish: async () => {
      await saving
      await saveDue(1)
    },
  }
}
