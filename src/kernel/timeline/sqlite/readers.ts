import { HoldfastError } from '../../std/index.ts'
import { judge, type Walked } from '../anchor.ts'
import { genesis } from '../chain.ts'
import { checkpointLine, entryLine, openingLine, shareDone } from '../lines.ts'
import type { Head, Verification, VerifyOptions } from '../port.ts'
import type { Channel } from '../../store/index.ts'
import { startThread } from './thread.ts'
import type { ReaderCalls, WalkStep } from './protocol.ts'

/** One or more reading threads; each call goes to the one with the least to do. */
export interface Readers {
  /** The first thing to do. Resolves with the end of the chain. */
  open(path: string): Promise<Head>
  readonly call: Channel<ReaderCalls, object>['call']
  close(): Promise<void>
}

/** Starts reading threads, which load their code while the file is not there yet. */
export function startReaders(count: number): Readers {
  const channels = Array.from({ length: Math.max(1, count) }, () =>
    startThread<ReaderCalls, object>('reader'),
  )
  return {
    open: async (path) => {
      const opened = await Promise.all(
        channels.map((channel) => channel.call('open', { path, maxFileBytes: null })),
      )
      return opened[0]?.head ?? genesis
    },
    call: async (name, ask) => {
      const idlest = channels.reduce((best, channel) => (channel.waiting < best.waiting ? channel : best))
      return await idlest.call(name, ask)
    },
    close: async () => {
      await Promise.all(channels.map((channel) => channel.close()))
    },
  }
}

/** Walks the chain up to `end`, step by step, so that other reads go on in between. */
export async function verifyWith(
  readers: Readers,
  end: Head,
  { anchor, onProgress }: VerifyOptions,
): Promise<Verification> {
  let walked: Walked = { checked: 0, base: genesis, head: genesis, broken: null }
  let from: Head | null = null
  do {
    const step: WalkStep = await readers.call('walk', { from, end: end.sequence })
    const isAnew = step.base.sequence !== walked.base.sequence
    walked = { ...step, checked: (isAnew ? 0 : walked.checked) + step.checked }
    from = step.head
    onProgress?.(shareDone(walked, end))
  } while (walked.broken === null && walked.head.sequence < end.sequence)
  const beside =
    anchor === undefined
      ? []
      : await readers.call('entries', { after: anchor.sequence - 1, end: anchor.sequence })
  return judge(walked, anchor, beside[0]?.hash ?? null)
}

/** The lines of an export up to `end`. Errors: `timeline.export-interrupted`. */
export async function* exportWith(readers: Readers, end: Head): AsyncGenerator<string> {
  const base = await readers.call('base', null)
  yield openingLine(base, end)
  let after = base.sequence
  while (after < end.sequence) {
    const entries = await readers.call('entries', { after, end: end.sequence })
    if (entries[0]?.sequence !== after + 1) throw interrupted(after + 1)
    for (const entry of entries) yield entryLine(entry)
    after = entries.at(-1)?.sequence ?? end.sequence
  }
  if (base.sequence === 0) return
  for (const checkpoint of await readers.call('checkpoints', null)) yield checkpointLine(checkpoint)
}

function interrupted(sequence: number): HoldfastError {
  return new HoldfastError({
    code: 'timeline.export-interrupted',
    kind: 'operational',
    message: `fact ${sequence} is not there to be exported: retention removed it meanwhile, or the timeline is broken`,
    hint: 'export again; if it fails at the same fact, run `holdfast timeline verify`',
  })
}
