import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { birthOf } from '../supervisor/index.ts'
import { buildMessage, type BuildMessage, type SandboxRecord } from './config.ts'
import type { Place } from './place.ts'
import type { Prepared } from './prepare.ts'

/** A builder that was started. */
export interface Builder {
  /** Null: it was gone at once. */
  readonly record: SandboxRecord['builder']
  /** What it says, until it has ended or is left alone. */
  readonly messages: AsyncIterable<BuildMessage>
  /** Resolves when it has ended. */
  readonly ended: Promise<void>
  /** Lets it go on without us. */
  leaveAlone(): void
}

function builderScript(): string {
  return fileURLToPath(new URL(`./main${extname(import.meta.url)}`, import.meta.url))
}

function parseLine(line: string): BuildMessage | null {
  try {
    return buildMessage.parse(JSON.parse(line))
  } catch {
    return null // a program of the house that prints something of its own
  }
}

async function* messagesOf(child: ChildProcess): AsyncIterable<BuildMessage> {
  if (child.stdout === null) return
  for await (const line of createInterface({ input: child.stdout })) {
    const message = parseLine(line)
    if (message !== null) yield message
  }
}

/**
 * Starts the builder, behind walls where that is possible. It has a session of its own, so that no Ctrl-C reaches it, and
 * lives as long as we hold its standard input, or longer once it is kept.
 */
export function startBuilder(place: Place, { isolation, variables }: Prepared): Builder {
  const plain = [process.execPath, builderScript(), place.directory]
  const isolated = 'wraps' in isolation
  const [program = '', ...rest] = isolated ? isolation.wraps(plain) : plain
  const log = openSync(place.logFile, 'a')
  try {
    const child = spawn(program, rest, { detached: true, env: variables, stdio: ['pipe', 'pipe', log] })
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => resolve())
      child.once('error', () => resolve())
    })
    child.stdin?.on('error', () => undefined) // it is gone; `ended` says so
    const { pid = 0 } = child
    const birth = pid === 0 ? undefined : birthOf(pid)
    return {
      record: birth === undefined ? null : { pid, birth, isolated },
      messages: messagesOf(child),
      ended,
      leaveAlone: () => {
        child.stdout?.destroy()
        child.unref()
        // Of the child's pipes Node counts each as something to wait for.
        if (child.stdin !== null && 'unref' in child.stdin)
          (child.stdin as unknown as { unref(): void }).unref()
      },
    }
  } finally {
    closeSync(log)
  }
}

const mostLines = 20

/** The last lines that a builder wrote for its maintainers. */
export async function lastWordsOf({ logFile }: Place): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '')
  return text.trim().split('\n').slice(-mostLines).join('\n')
}
