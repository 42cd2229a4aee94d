/** Where `up` speaks: a terminal is drawn on, anything else gets plain lines. */
export interface Terminal {
  /** Says what is being done; the line is redrawn until `done` or the next `doing`. */
  doing(text: string): void
  /** The last thing that was being done is done. */
  done(text: string): void
  /** A line of its own. */
  line(text?: string): void
  /** Draws attention without shouting. */
  strong(text: string): string
  dim(text: string): string
}

const clearLine = '\r\u001B[2K'

/** Speaks to a stream; colours and redrawing only on a terminal, and not with NO_COLOR. */
export function createTerminal(stream: NodeJS.WriteStream, variables: NodeJS.ProcessEnv): Terminal {
  const draws = stream.isTTY && variables['TERM'] !== 'dumb'
  const colours = draws && (variables['NO_COLOR'] ?? '') === ''
  // What is drawn again must fit on one line, or its rest would stay.
  const fit = (text: string): string => text.slice(0, Math.max(10, (stream.columns ?? 80) - 5))
  const paint = (code: number, text: string): string => (colours ? `\u001B[${code}m${text}\u001B[0m` : text)
  let pending = ''
  const wipe = (): void => {
    if (draws && pending !== '') stream.write(clearLine)
  }
  return {
    doing: (text) => {
      if (text === pending) return
      wipe()
      pending = text
      stream.write(draws ? `  ${paint(2, '…')} ${fit(text)}` : `  ... ${text}\n`)
    },
    done: (text) => {
      wipe()
      pending = ''
      stream.write(`  ${draws ? paint(32, '✓') : 'ok '} ${text}\n`)
    },
    line: (text = '') => {
      wipe()
      pending = ''
      stream.write(`${text}\n`)
    },
    strong: (text) => paint(1, text),
    dim: (text) => paint(2, text),
  }
}
