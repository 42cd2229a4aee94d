/** What a piece of text means; colour says it once more, never alone. */
export type Tone = 'good' | 'bad' | 'warning' | 'dim' | 'strong' | 'plain'

/** What output is drawn on. */
export interface Paper {
  /** Columns; lines are cut to it in tables only. */
  readonly width: number
  /** Whether lines may be redrawn. */
  readonly redraws: boolean
  /** Milliseconds since the epoch, for relative times. */
  readonly nowMs: number
  paint(tone: Tone, text: string): string
}

const codes: Readonly<Record<Tone, string>> = {
  good: '32',
  bad: '31',
  warning: '33',
  dim: '2',
  strong: '1',
  plain: '0',
}

/** What is known about the place where output goes. */
export interface PaperOptions {
  readonly terminal: boolean
  readonly colour: boolean
  readonly width?: number | undefined
  readonly nowMs: number
}

/** Paper for a terminal or for anything else. */
export function createPaper({ terminal, colour, width, nowMs }: PaperOptions): Paper {
  return {
    width: terminal ? (width ?? 80) : 200,
    redraws: terminal,
    nowMs,
    paint: (tone, text) =>
      !colour || tone === 'plain' || text === '' ? text : `\u001B[${codes[tone]}m${text}\u001B[0m`,
  }
}
