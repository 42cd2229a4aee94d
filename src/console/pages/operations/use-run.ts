import { useEffect, useRef, useState } from 'react'
import type { Job } from '../../../contracts/index.ts'
import type { AnyAnswer, Client } from '../../../client/index.ts'
import { createGatherer } from '../../data/follow.ts'
import { useHouse } from '../../data/house.ts'
import { addLines, noLines, type LineBuffer } from '../../data/lines.ts'

/** A call of an operation from its form, as far as it has come. */
export type Run =
  | { readonly state: 'none' }
  | {
      readonly state: 'running' | 'stopped'
      readonly items: LineBuffer<unknown> | null
      readonly job: Job | null
    }
  | {
      readonly state: 'done'
      readonly value: unknown
      readonly items: LineBuffer<unknown> | null
      readonly job: Job | null
    }
  | { readonly state: 'failed'; readonly error: unknown }

interface Running {
  readonly client: Client
  readonly signal: AbortSignal
  readonly show: (run: Run) => void
}

async function watchItems(items: AsyncIterable<unknown>, { show }: Running): Promise<void> {
  let held: LineBuffer<unknown> = noLines
  const gatherer = createGatherer<unknown>((ready) => {
    held = addLines(held, ready)
    show({ state: 'running', items: held, job: null })
  })
  for await (const item of items) gatherer.add(item)
  gatherer.flush()
  show({ state: 'done', value: null, items: held, job: null })
}

async function watchJob(requested: Job, { client, signal, show }: Running): Promise<void> {
  let last = requested
  show({ state: 'running', items: null, job: requested })
  if (requested.endedAt === null) {
    for await (const job of client.follow(requested.id, signal)) {
      last = job
      show({ state: 'running', items: null, job })
    }
  }
  if (last.error !== null) show({ state: 'failed', error: last.error })
  else show({ state: 'done', value: last.result, items: null, job: last })
}

async function watchAnswer(answer: AnyAnswer, running: Running): Promise<void> {
  if (answer.kind === 'stream') return watchItems(answer.items, running)
  if (answer.kind === 'job') return watchJob(answer.job, running)
  running.show({ state: 'done', value: answer.value, items: null, job: null })
}

/** Calls an operation and watches what comes of it. */
export function useRun(name: string): {
  readonly run: Run
  readonly start: (input: object) => void
  readonly stop: () => void
} {
  const house = useHouse()
  const [run, setRun] = useState<Run>({ state: 'none' })
  const abort = useRef<AbortController | null>(null)
  useEffect(() => () => abort.current?.abort(), [])

  const start = (input: object): void => {
    const controller = new AbortController()
    const { signal } = controller
    abort.current?.abort()
    abort.current = controller
    const show = (next: Run): void => {
      if (!signal.aborted) setRun(next)
    }
    show({ state: 'running', items: null, job: null })
    house.client
      .any(name, input, { signal })
      .then((answer) => watchAnswer(answer, { client: house.client, signal, show }))
      .then(() => house.polls.refresh(''))
      .catch((error: unknown) => show({ state: 'failed', error }))
  }
  const stop = (): void => {
    abort.current?.abort()
    setRun((now) => (now.state === 'running' ? { ...now, state: 'stopped' } : now))
  }
  return { run, start, stop }
}
