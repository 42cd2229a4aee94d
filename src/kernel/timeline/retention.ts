/**
 * Facts are indexed and removed in blocks: block k holds the sequence numbers 128k to 128k + 127. Large enough that a
 * burst of like facts costs one index entry, small enough that looking through one block costs nothing.
 */
export const blockSize = 128

/** How long the checkpoint of a fold that nobody runs any more still holds retention back: 7 days, in ms. */
export const abandonedAfterMs = 7 * 86_400_000

/** The block that a sequence number lies in. */
export function blockOf(sequence: number): number {
  return Math.floor(sequence / blockSize)
}

/** The last sequence number that goes when everything up to `sequence` may go: the end of a whole block. */
export function cutBelow(sequence: number): number {
  return Math.floor((sequence + 1) / blockSize) * blockSize - 1
}

/** What is known of a checkpoint. */
export interface CheckpointUse {
  readonly name: string
  readonly sequence: number
  /** When it was last saved or loaded, ms since the epoch. */
  readonly touchedAt: number
}

/** What the checkpoints permit: the last sequence number that may go, and which checkpoints are abandoned. */
export interface Permission {
  readonly upTo: number
  readonly abandoned: readonly string[]
}

/**
 * Decides how far retention may go. A fold that ran since the timeline was opened (`registered`) holds it back
 * at its checkpoint, or altogether when it has none yet; the checkpoint of any other fold holds it back until it was not
 * touched for 7 days, and is then abandoned.
 */
export function permittedBy(
  checkpoints: readonly CheckpointUse[],
  registered: ReadonlySet<string>,
  nowMs: number,
): Permission {
  const isAbandoned = ({ name, touchedAt }: CheckpointUse): boolean =>
    !registered.has(name) && nowMs - touchedAt > abandonedAfterMs
  const saved = new Set(checkpoints.map(({ name }) => name))
  const holding = checkpoints.filter((checkpoint) => !isAbandoned(checkpoint))
  const unsaved = [...registered].some((name) => !saved.has(name))
  return {
    upTo: unsaved ? 0 : Math.min(...holding.map(({ sequence }) => sequence), Number.MAX_SAFE_INTEGER),
    abandoned: checkpoints.filter(isAbandoned).map(({ name }) => name),
  }
}
