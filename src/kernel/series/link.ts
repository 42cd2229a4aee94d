import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { errorFromPlain, HoldfastError, type PlainError } from '../std/index.ts'
import { openArchive, type Answers, type Requests, type StoredSeries } from './archive.ts'

/** An archive somewhere else; calls are answered in the order in which they are made. */
export interface Link {
  readonly known: readonly StoredSeries[]
  /** Calls that are not answered yet. */
  readonly waiting: number
  call<Name extends keyof Requests>(name: Name, request: Requests[Name]): Promise<Answers[Name]>
  close(): Promise<void>
}

/** What the worker is told at its start. */
export interface WorkerStart {
  readonly path: string
  readonly maxBlocks: number
}

/** What goes to the worker. */
export interface ToWorker {
  readonly id: number
  readonly name: keyof Requests | 'close'
  readonly request: unknown
}

/** What comes back; the first one, id 0, answers with what is known. */
export interface FromWorker {
  readonly id: number
  readonly answer?: unknown
  readonly error?: PlainError
}

/** An archive in memory, in this thread, so that a simulation stays single-threaded. */
export function linkInMemory(maxBlocks: number): Link {
  const archive = openArchive(null, maxBlocks)
  return {
    known: archive.known,
    waiting: 0,
    call: async (name, request) => archive.calls[name](request),
    close: async () => archive.close(),
  }
}

interface Waiting {
  readonly resolve: (answer: never) => void
  readonly reject: (error: Error) => void
}

/** An archive in a file, in a thread of its own. Errors: `series.corrupt`, `series.newer`, `series.unwritable`. */
export async function linkToFile(path: string, maxBlocks: number): Promise<Link> {
  const start: WorkerStart = { path, maxBlocks }
  const worker = new Worker(new URL(`./worker${extname(import.meta.filename)}`, import.meta.url), {
    workerData: start,
  })
  const waiting = new Map<number, Waiting>()
  let ended: Error | undefined
  let lastId = -1
  const expect = async (): Promise<unknown> => {
    if (ended !== undefined) throw ended
    const id = ++lastId
    // Only an unanswered call keeps the process alive.
    worker.ref()
    return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }))
  }
  const settle = ({ id, answer, error }: FromWorker): void => {
    const call = waiting.get(id)
    waiting.delete(id)
    if (waiting.size === 0) worker.unref()
    if (error === undefined) call?.resolve(answer as never)
    else call?.reject(errorFromPlain(error))
  }
  const end = (reason: string): void => {
    ended ??= lost(path, reason)
    for (const call of waiting.values()) call.reject(ended)
    waiting.clear()
  }
  worker.on('message', settle)
  worker.on('error', (error) => end(error instanceof Error ? error.message : String(error)))
  worker.on('exit', () => end('its thread ended'))
  const send = async (name: ToWorker['name'], request: unknown): Promise<unknown> => {
    const answer = expect()
    if (ended === undefined) worker.postMessage({ id: lastId, name, request } satisfies ToWorker)
    return answer
  }
  try {
    const known = (await expect()) as readonly StoredSeries[]
    return {
      known,
      get waiting() {
        return waiting.size
      },
      call: async (name, request) => (await send(name, request)) as never,
      close: async () => {
        await send('close', null)
        await worker.terminate()
      },
    }
  } catch (error) {
    await worker.terminate()
    throw error
  }
}

function lost(path: string, reason: string): HoldfastError {
  return new HoldfastError({
    code: 'series.unwritable',
    kind: 'operational',
    message: `measurements can no longer be written to ${path}: ${reason}`,
    hint: 'Restart Holdfast; measurements since the last flush are lost, facts are not.',
  })
}
