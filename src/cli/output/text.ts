import { stripVTControlCharacters } from 'node:util'

/** Columns that a text takes up, colours not counted. Wide characters count as two, marks as none. */
export function columnsOf(text: string): number {
  let columns = 0
  for (const character of stripVTControlCharacters(text)) {
    if (/\p{Mn}|\p{Cf}/u.test(character)) continue
    columns +=
      /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|\p{Emoji_Presentation}/u.test(
        character,
      )
        ? 2
        : 1
  }
  return columns
}

/** Fills up with spaces to a number of columns. */
export function pad(text: string, columns: number, align: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(0, columns - columnsOf(text)))
  return align === 'left' ? text + space : space + text
}

/** Cuts to a number of columns; colours are given up when something has to go. */
export function cut(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text
  let kept = ''
  for (const character of stripVTControlCharacters(text)) {
    if (columnsOf(kept + character) >= columns) break
    kept += character
  }
  return `${kept}…`
}

/**
 * Text from outside (a log line, a name) made harmless for a terminal: control characters other than tabs become
 * visible, so that nobody's log can move the cursor or set the title of the window.
 */
export function harmless(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what it looks for
  return text.replace(/[\u0000-\u0008\u000A-\u001F\u007F-\u009F]/g, (character) =>
    character === '\u001B' ? '␛' : '�',
  )
}

/** `1 service`, `2 services`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}
