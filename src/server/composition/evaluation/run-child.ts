import { spawn } from 'node:child_process'
import { extname } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

const mostAnswerBytes = 4 * 1024 * 1024
const mostErrorBytes = 64 * 1024
/** After its end, what is left in the pipes arrives at once, unless a program that it has started holds them. */
const drainMs = 500

/** How the process that evaluates an environment file ended. */
export interface ChildEnd {
  /** What it answered. */
  readonly answer: string
  /** What it wrote to standard error. */
  readonly errors: string
  readonly exitCode: number | null
  /** Why it was ended from our side, or null. */
  readonly ended: 'too-slow' | 'too-much' | null
}

/** Variables that the child may see: none that could hold a secret. */
function harmlessVariables(): NodeJS.ProcessEnv {
  const { PATH, HOME, LANG, TZ } = process.env
  return { PATH, HOME, LANG, TZ, NODE_NO_WARNINGS: '1' }
}

/** Gathers what comes, up to a size; `onTooMuch` is called when there is more. */
function gather(stream: Readable, mostBytes: number, onTooMuch?: () => void): () => string {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  stream.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length
    if (sizeBytes <= mostBytes) chunks.push(chunk)
    else onTooMuch?.()
  })
  return () => Buffer.concat(chunks).toString('utf8')
}

/** Evaluates an environment file in a process of its own. */
export function runChild(file: string, timeoutMs: number): Promise<ChildEnd> {
  const script = fileURLToPath(new URL(`./evaluate-child${extname(import.meta.url)}`, import.meta.url))
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, file], {
      env: harmlessVariables(),
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    })
    const [stderr, answers] = [child.stdio[2], child.stdio[3]] as [Readable, Readable]
    let ended: ChildEnd['ended'] = null
    const letGo = (): void => {
      stderr.destroy()
      answers.destroy()
    }
    const end = (why: ChildEnd['ended']): void => {
      ended = why
      child.kill('SIGKILL')
      letGo()
    }
    const errors = gather(stderr, mostErrorBytes)
    const answer = gather(answers, mostAnswerBytes, () => end('too-much'))
    const timers = [setTimeout(end, timeoutMs, 'too-slow')]
    child.on('error', reject)
    child.on('exit', () => timers.push(setTimeout(letGo, drainMs)))
    child.on('close', (exitCode) => {
      for (const timer of timers) clearTimeout(timer)
      resolve({ answer: answer(), errors: errors(), exitCode, ended })
    })
  })
}
