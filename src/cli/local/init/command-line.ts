/** Characters that only a shell understands. */
const shellOnly = /[|&;<>()$`*?[\]{}~#!\n]/

/**
 * Splits a command as a person types it into program and arguments. Quotes hold words together. What needs a shell
 * (a variable, a pipe) is given to one, which is replaced by the program so that signals arrive.
 */
export function splitCommand(line: string): readonly string[] {
  const trimmed = line.trim()
  const outsideQuotes = trimmed.replace(/'[^']*'/g, '').replace(/"(?:[^"\\$`]|\\.)*"/g, '')
  if (/^[A-Za-z_][A-Za-z0-9_]*=/.test(trimmed)) return ['sh', '-c', trimmed]
  if (shellOnly.test(outsideQuotes)) {
    const single = !/[|&;\n]/.test(outsideQuotes)
    return ['sh', '-c', single ? `exec ${trimmed}` : trimmed]
  }
  const words = trimmed.match(/(?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+/g) ?? []
  return words.map(unquote)
}

function unquote(word: string): string {
  return word.replace(/'[^']*'|"(?:[^"\\]|\\.)*"|\\./g, (part) => {
    if (part.startsWith("'")) return part.slice(1, -1)
    if (part.startsWith('"')) return part.slice(1, -1).replace(/\\(["\\])/g, '$1')
    return part.slice(1)
  })
}

/** The command as one line for people; the inverse of `splitCommand` for plain words. */
export function joinCommand(command: readonly string[]): string {
  return command
    .map((word) => (/^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ')
}
