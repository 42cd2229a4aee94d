import type { Entry } from './chain.ts'
import { refused, truncation, walkLines, type NamedCheckpoint } from './lines.ts'
import type { Head } from './port.ts'

const portionEntries = 1000

/** Where an import goes. All of it becomes visible at `finish`, or nothing. */
export interface ImportTarget {
  /** Entries that hold, in order; the first call names the base of the chain. */
  take(entries: readonly Entry[]): Promise<void>
  finish(base: Head, head: Head, checkpoints: readonly NamedCheckpoint[]): Promise<void>
}

/**
 * Reads an export into a target, checking every link before it goes in. Returns how many facts came.
 * Errors: `timeline.import-refused`.
 */
export async function importInto(target: ImportTarget, lines: AsyncIterable<string>): Promise<number> {
  const walk = walkLines()
  const checkpoints: NamedCheckpoint[] = []
  let portion: Entry[] = []
  for await (const text of lines) {
    const line = walk.take(text)
    refuseBroken(walk.walked.broken)
    if (line?.is === 'checkpoint') checkpoints.push(line.checkpoint)
    if (checkpoints.length > 1000) throw refused('it has more than 1,000 checkpoints')
    if (line?.is === 'entry') portion.push(line.entry)
    if (portion.length < portionEntries) continue
    await target.take(portion)
    portion = []
  }
  const { base, head, checked } = walk.walked
  refuseBroken(truncation(walk))
  await target.take(portion)
  await target.finish(base, head, usable(checkpoints, base, head))
  return checked
}

function refuseBroken(broken: { readonly sequence: number; readonly why: string } | null): void {
  if (broken !== null) throw refused(`the first broken link is fact ${broken.sequence}: ${broken.why}`)
}

/**
 * The chain does not cover checkpoints, so they count only where they cannot be done without: when the chain was
 * shortened.
 */
function usable(checkpoints: readonly NamedCheckpoint[], base: Head, head: Head): readonly NamedCheckpoint[] {
  if (base.sequence === 0) return []
  return checkpoints.filter(({ sequence }) => sequence >= base.sequence && sequence <= head.sequence)
}
