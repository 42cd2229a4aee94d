import { systemClock } from '../../kernel/std/index.ts'

/** Where `up` speaks: a terminal is drawn on, anything else gets plain lines. */
export interface Terminal {
  /** Columns. */
  readonly width: number
  /** Says what is being done; the line is redrawn, with the seconds since `doing`, until `done` or the next `doing`. */
  doing(text: string): void
  /** The last thing that was being done is done. */
  done(text: string): void
  /** A line of its own. */
  line(text?: string): void
  /** Draws attention without shouting. */
  strong(text: string): string
  dim(text: string): string
  /** One of a few colours, to tell sources apart. */
  hue(index: number, text: string): string
}

/** Cyan, magenta, yellow, blue, green: none that means trouble. */
const hues = [36, 35, 33, 34, 32] as const
const clearLine = '\r\u001B[2K'

/** A line that is drawn again and again, and from one second on says how long it has stood. */
function redrawnLine(draw: (text: string) => void) {
  let timer: NodeJS.Timeout | undefined
  let sinceMs: number | null = null
  return {
    show: (text: string): void => {
      const startedMs = (sinceMs ??= systemClock.monotonicMs())
      const says = (): string => {
        const seconds = Math.floor((systemClock.monotonicMs() - startedMs) / 1000)
        return seconds === 0 ? text : `${text}, ${seconds} s`
      }
      clearInterval(timer)
      draw(says())
      timer = setInterval(() => draw(says()), 1000).unref()
    },
    end: (): void => {
      clearInterval(timer)
      sinceMs = null
    },
  }
}

/** Speaks to a stream; colours and redrawing only on a terminal, and not with NO_COLOR. */
export function createTerminal(stream: NodeJS.WriteStream, variables: NodeJS.ProcessEnv): Terminal {
  const draws = stream.isTTY && variables['TERM'] !== 'dumb'
  const colours = draws && (variables['NO_COLOR'] ?? '') === ''
  // A pseudo-terminal that was not told its size says 0.
  const width = stream.isTTY && stream.columns > 0 ? stream.columns : 80
  // What is drawn again must fit on one line, or its rest would stay.
  const fit = (text: string): string => text.slice(0, Math.max(10, width - 5))
  const paint = (code: number, text: string): string => (colours ? `\u001B[${code}m${text}\u001B[0m` : text)
  const redrawn = redrawnLine((text) => stream.write(`${clearLine}  ${paint(2, '…')} ${fit(text)}`))
  let pending = ''
  const wipe = (): void => {
    redrawn.end()
    if (draws && pending !== '') stream.write(clearLine)
    pending = ''
  }
  return {
    width,
    doing: (text) => {
      if (text === pending) return
      pending = text
      if (draws) redrawn.show(text)
      else stream.write(`  ... ${text}\n`)
    },
    done: (text) => {
      wipe()
      stream.write(`  ${draws ? paint(32, '✓') : 'ok '} ${text}\n`)
    },
    line: (text = '') => {
      wipe()
      stream.write(`${text}\n`)
    },
    strong: (text) => paint(1, text),
    dim: (text) => paint(2, text),
    hue: (index, text) => paint(hues[index % hues.length] ?? 0, text),
  }
}
