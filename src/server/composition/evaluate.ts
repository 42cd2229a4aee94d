import { spawn } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HoldfastError } from '../../kernel/std/index.ts'
import { evaluationAnswer, type EvaluationAnswer } from './config.ts'

const timeoutMs = 10_000
const maxAnswerBytes = 4 * 1024 * 1024

/** Variables that the child may see: none that could hold a secret. */
function harmlessVariables(): NodeJS.ProcessEnv {
  const { PATH, HOME, LANG, TZ } = process.env
  return { PATH, HOME, LANG, TZ, NODE_NO_WARNINGS: '1' }
}

interface ChildEnd {
  readonly answer: string
  readonly errors: string
  readonly timedOut: boolean
}

function runChild(file: string): Promise<ChildEnd> {
  const script = fileURLToPath(new URL(`./evaluate-child${extname(import.meta.url)}`, import.meta.url))
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, file], {
      env: harmlessVariables(),
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    })
    const collected = { answer: '', errors: '' }
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      child.kill('SIGKILL')
    }, timeoutMs)
    child.stderr?.on('data', (chunk: Buffer) => {
      if (collected.errors.length < 64 * 1024) collected.errors += chunk.toString()
    })
    child.stdio[3]?.on('data', (chunk: Buffer) => {
      if (collected.answer.length < maxAnswerBytes) collected.answer += chunk.toString()
    })
    child.on('error', reject)
    child.on('close', () => {
      clearTimeout(timer)
      resolve({ ...collected, timedOut })
    })
  })
}

function unreadable(file: string, message: string): HoldfastError {
  return new HoldfastError({
    code: 'configuration.unreadable',
    kind: 'user',
    message: `${file}: ${message}`,
    hint: 'open the file at that place; it is TypeScript that is loaded as it is',
  })
}

/** The line of the file that the stack names, as `:12:5`, or nothing. */
function placeIn(file: string, text: string): string {
  const at = text.indexOf(`${file}:`)
  return at < 0 ? '' : (/^:\d+(?::\d+)?/.exec(text.slice(at + file.length))?.[0] ?? '')
}

function parseAnswer(text: string): EvaluationAnswer | null {
  try {
    return evaluationAnswer.parse(JSON.parse(text))
  } catch {
    return null
  }
}

/**
 * Evaluates an environment file (absolute path) in a short-lived process and returns its data, unchecked.
 * Errors: `configuration.unreadable`, `configuration.invalid` (something in it is not data).
 */
export async function evaluateFile(file: string): Promise<unknown> {
  const { answer, errors, timedOut } = await runChild(file)
  if (timedOut) throw unreadable(file, `it did not finish within ${timeoutMs / 1000} seconds`)
  const parsed = parseAnswer(answer)
  if (parsed === null) throw unreadable(file, errors.trim().split('\n')[0] ?? 'it ended without an answer')
  if ('failure' in parsed) throw unreadable(`${file}${placeIn(file, parsed.stack)}`, parsed.failure)
  if ('trouble' in parsed) {
    throw new HoldfastError({
      code: 'configuration.invalid',
      kind: 'user',
      message:
        parsed.trouble.path === ''
          ? parsed.trouble.message
          : `${parsed.trouble.path}: ${parsed.trouble.message}`,
      path: parsed.trouble.path,
      hint: 'write the value itself; compute it at the top of the file if you must',
    })
  }
  return parsed.value
}
