import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { errorFromPlain, HoldfastError } from '../../../../kernel/std/index.ts'
import type { FromThread, ThreadGround, ThreadNews, ToThread } from '../shared/index.ts'

/** A thread, as the main thread speaks to it. */
export interface Seat {
  /** Sends a message and waits for the answer of that kind. Errors: what the thread failed with, `edge.thread-ended`. */
  ask<Say extends FromThread['say']>(
    message: ToThread,
    answer: Say,
  ): Promise<Extract<FromThread, { say: Say }>>
  tell(message: ToThread): void
  /** Resolves with why it ended. */
  readonly ended: Promise<string>
  /** Ends it at once. */
  end(): Promise<void>
}

interface Question {
  readonly answer: FromThread['say']
  readonly resolve: (message: FromThread) => void
  readonly reject: (error: Error) => void
}

function threadEnded(why: string): HoldfastError {
  return new HoldfastError({
    code: 'edge.thread-ended',
    kind: 'operational',
    message: `a thread of the edge ended: ${why}`,
  })
}

const news: ReadonlySet<FromThread['say']> = new Set<ThreadNews['say']>([
  'unknown-key',
  'look-alikes',
  'offenders',
  'senders',
  'counters',
  'shared-refusals',
])

function isNews(message: FromThread): message is ThreadNews {
  return news.has(message.say)
}

/** Starts a thread; what it says by itself goes to `onNews`. */
export function openSeat(ground: ThreadGround, onNews: (news: ThreadNews) => void): Seat {
  const script = new URL(`../traffic/thread${extname(import.meta.url)}`, import.meta.url)
  const worker = new Worker(script, { workerData: ground, name: `edge-${ground.thread}` })
  const questions = new Set<Question>()
  let reason = ''
  let over: HoldfastError | null = null
  worker.on('message', (message: FromThread) => {
    if (isNews(message)) return onNews(message)
    for (const question of questions) {
      if (message.say === 'failed') question.reject(errorFromPlain(message.trouble))
      else if (question.answer === message.say) question.resolve(message)
      else continue
      questions.delete(question)
    }
  })
  worker.on('error', (error) => {
    reason = error.message
  })
  const ended = new Promise<string>((resolve) => {
    worker.once('exit', (code) => {
      const why = reason === '' ? `exit code ${code}` : reason
      over = threadEnded(why)
      for (const question of questions) question.reject(over)
      questions.clear()
      resolve(why)
    })
  })
  const tell = (message: ToThread): void => worker.postMessage(message)
  return {
    ended,
    tell,
    ask: <Say extends FromThread['say']>(message: ToThread, answer: Say) =>
      new Promise<Extract<FromThread, { say: Say }>>((resolve, reject) => {
        if (over !== null) return reject(over)
        questions.add({ answer, resolve: resolve as Question['resolve'], reject })
        tell(message)
      }),
    end: async () => void (await worker.terminate()),
  }
}
