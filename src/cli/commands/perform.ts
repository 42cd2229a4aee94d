import type { JsonObject } from '../../kernel/std/index.ts'
import { HoldfastError, type Json } from '../../kernel/std/index.ts'
import type { Job } from '../../contracts/index.ts'
import { kebab } from '../arguments/index.ts'
import { progressLine } from '../output/progress.ts'
import { exitOf, render } from '../views/index.ts'
import type { NamedOperation, Surroundings } from './command.ts'

/** How to ask. */
export interface Asking {
  readonly input: JsonObject
  readonly idempotencyKey?: string | undefined
  /** The exit code says what a comparison found. */
  readonly detailedExit?: boolean | undefined
}

/** Says what is wrong with the input before anybody is asked. Errors: `operations.invalid-input`. */
function refuseInvalid(operation: NamedOperation, input: JsonObject): void {
  const { error } = operation.input.safeParse(input)
  const issue = error?.issues[0]
  if (issue === undefined) return
  const path = issue.path.map(String).join('.')
  const reason = issue.message.replace(/^Invalid input: /, '')
  throw new HoldfastError({
    code: 'operations.invalid-input',
    kind: 'user',
    message: path === '' ? reason : `${kebab(path)}: ${reason}`,
    path: path === '' ? undefined : path,
    hint: `see "holdfast help ${operation.command?.words ?? `call ${operation.name}`}"`,
    cause: error,
  })
}

async function showValue(
  operation: NamedOperation,
  { input, detailedExit }: Asking,
  { voice, directions, open }: Surroundings,
): Promise<number> {
  const door = await open(directions)
  const answer = await door.call(operation.name, input)
  show(operation, answer, voice)
  return exitOf(operation.name, answer, detailedExit)
}

function show(operation: NamedOperation, answer: Json, voice: Surroundings['voice']): void {
  if (voice.json) voice.document(answer)
  else voice.say(render(operation.name, answer, voice.paper))
}

async function showStream(
  operation: NamedOperation,
  { input }: Asking,
  { voice, directions, open, signal }: Surroundings,
): Promise<number> {
  const door = await open(directions)
  try {
    for await (const item of door.stream(operation.name, input, signal)) {
      if (voice.json) voice.item(item)
      else voice.say(render(operation.name, item, voice.paper))
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
  return signal.aborted ? 130 : 0
}

/** Whether there is something to say that its state does not say already. */
function isNews(job: Job, last: Job | undefined): boolean {
  return !['', 'waiting', 'running', 'done', last?.says].includes(job.says)
}

async function showJob(
  operation: NamedOperation,
  { input, idempotencyKey }: Asking,
  { voice, directions, open, signal }: Surroundings,
): Promise<number> {
  const door = await open(directions)
  let last: Job | undefined
  const onProgress = (job: Job): void => {
    if (voice.paper.redraws) voice.redraw(progressLine(job, voice.paper))
    else if (isNews(job, last)) voice.remark(`${job.operation}: ${job.says}`)
    last = job
  }
  try {
    const answer = await door.job(operation.name, input, { idempotencyKey, onProgress, signal })
    voice.redraw('')
    show(operation, answer, voice)
    return exitOf(operation.name, answer)
  } catch (error) {
    voice.redraw('')
    if (!signal.aborted) throw error
    if (last !== undefined) voice.remark(`it goes on; follow it with "holdfast jobs follow ${last.id}"`)
    return 130
  }
}

/** Asks control for an operation and shows what it answers. Resolves to the exit code. */
export async function perform(
  operation: NamedOperation,
  asking: Asking,
  surroundings: Surroundings,
): Promise<number> {
  refuseInvalid(operation, asking.input)
  switch (operation.answers) {
    case 'value':
      return showValue(operation, asking, surroundings)
    case 'stream':
      return showStream(operation, asking, surroundings)
    case 'job':
      return showJob(operation, asking, surroundings)
  }
}
