import { plainError, systemCode, type Json } from '../../kernel/std/index.ts'
import type { Paper } from './paper.ts'

/** Where text goes. */
export interface Sink {
  write(text: string): void
}

/** How a command speaks: to people in lines, to programs in JSON. Results go to `out`, all else to `err`. */
export interface Voice {
  readonly json: boolean
  readonly paper: Paper
  /** Lines for people; silent when JSON was asked for. */
  say(lines: readonly string[]): void
  /** A whole answer, for programs: one JSON document. */
  document(value: Json): void
  /** One item of a stream, for programs: one line of JSON. */
  item(value: Json): void
  /** Something that is not the answer: progress, advice. */
  remark(line: string): void
  /** Redraws one line of progress; empty wipes it. Nothing where lines cannot be redrawn. */
  redraw(line: string): void
  /** An error, in the form that was asked for. */
  complain(error: unknown): void
}

function errorLines(error: unknown, paper: Paper): readonly string[] {
  const { code, message, hint } = plainError(error)
  return [
    `${paper.paint('bad', 'error:')} ${message}`,
    ...(hint === undefined ? [] : [`  ${paper.paint('strong', 'hint:')} ${hint}`]),
    paper.paint('dim', `  code: ${code}`),
  ]
}

function errorDocument(error: unknown): string {
  const { code, kind, message, hint, path } = plainError(error)
  return JSON.stringify({ error: { code, kind, message, hint: hint ?? null, path: path ?? null } })
}

/** What a voice speaks into. */
export interface VoiceOptions {
  readonly out: Sink
  readonly err: Sink
  readonly json: boolean
  readonly paper: Paper
}

/** Creates the voice of one command. */
export function createVoice({ out, err, json, paper }: VoiceOptions): Voice {
  const redraw = (line: string): void => {
    if (paper.redraws && !json) err.write(`\r\u001B[2K${line}`)
  }
  return {
    json,
    paper,
    say: (lines) => {
      if (!json && lines.length > 0) out.write(`${lines.join('\n')}\n`)
    },
    document: (value) => out.write(`${JSON.stringify(value, null, 2)}\n`),
    item: (value) => out.write(`${JSON.stringify(value)}\n`),
    remark: (line) => {
      if (!json) err.write(`${line}\n`)
    },
    redraw,
    complain: (error) =>
      err.write(json ? `${errorDocument(error)}\n` : `${errorLines(error, paper).join('\n')}\n`),
  }
}

/** Whether an error only says that nobody reads our output any more (`holdfast timeline | head`). */
export function isBrokenPipe(error: unknown): boolean {
  const code = systemCode(error)
  return code === 'EPIPE' || code === 'EIO'
}
