import { fileURLToPath } from 'node:url'
import { HoldfastError } from '../../../kernel/std/index.ts'
import { evaluationAnswer, type EvaluationAnswer } from './config.ts'
import { runChild, type ChildEnd } from './run-child.ts'

const defaultTimeoutMs = 10_000
/** Node's exit code when nothing is left that could end a top-level await. */
const unsettledAwait = 13

function unreadable(place: string, message: string): HoldfastError {
  return new HoldfastError({
    code: 'configuration.unreadable',
    kind: 'user',
    message: `${place}: ${message}`,
    hint: 'open the file at that place; it is TypeScript that is loaded as it is',
  })
}

const placePattern = /(?:^|[\s(])(file:\/\/\S+?|\/[^()\n]+?):(\d+(?::\d+)?)(?=\)|$)/gm

/** Where a stack begins, as `/srv/holdfast.config.ts:12:5`, in files that are not ours; else the file. */
function placeIn(file: string, stack: string): string {
  const ours = new URL('.', import.meta.url).href
  for (const [, name = '', at = ''] of stack.matchAll(placePattern)) {
    if (!name.startsWith(ours)) return `${name.startsWith('file:') ? fileURLToPath(name) : name}:${at}`
  }
  return file
}

function parseAnswer(text: string): EvaluationAnswer | null {
  try {
    return evaluationAnswer.parse(JSON.parse(text))
  } catch {
    return null
  }
}

/** Why there is no answer. */
function explainSilence(
  file: string,
  { ended, errors, exitCode }: ChildEnd,
  timeoutMs: number,
): HoldfastError {
  if (ended === 'too-slow') return unreadable(file, `it did not finish within ${timeoutMs / 1000} s`)
  if (ended === 'too-much') return unreadable(file, 'it yields more than 4 MiB of data')
  if (exitCode === unsettledAwait) return unreadable(file, 'it awaits something that never happens')
  const said = /^\w*Error\b.*$/m.exec(errors)?.[0]
  if (said !== undefined) return unreadable(placeIn(file, errors), said)
  return unreadable(file, `it ended with exit code ${exitCode} and without a default export`)
}

function notData(path: string, message: string): HoldfastError {
  return new HoldfastError({
    code: 'configuration.invalid',
    kind: 'user',
    message: path === '' ? message : `${path}: ${message}`,
    path,
    hint: 'write the value itself; compute it at the top of the file if you must',
  })
}

/** How to evaluate. */
export interface EvaluateOptions {
  /** The file has this long, milliseconds. */
  readonly timeoutMs?: number
}

/**
 * Evaluates an environment file (absolute path) in a short-lived process and returns its data, unchecked.
 * Errors: `configuration.unreadable`, `configuration.invalid` (something in it is not data).
 */
export async function evaluateFile(
  file: string,
  { timeoutMs = defaultTimeoutMs }: EvaluateOptions = {},
): Promise<unknown> {
  const end = await runChild(file, timeoutMs)
  const parsed = end.ended === null ? parseAnswer(end.answer) : null
  if (parsed === null) throw explainSilence(file, end, timeoutMs)
  if ('failure' in parsed) throw unreadable(placeIn(file, parsed.stack), parsed.failure)
  if ('trouble' in parsed) throw notData(parsed.trouble.path, parsed.trouble.message)
  return parsed.value
}
