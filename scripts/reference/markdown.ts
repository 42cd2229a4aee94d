/** A table in Markdown. Cells are escaped, so that a `|` in a sentence stays one. */
export function markdownTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
  return [line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('\n')
}

/** A page: the title, a word on where it comes from, and its parts. */
export function page(title: string, ...parts: readonly string[]): string {
  const note = '<!-- Written by scripts/reference.ts from the contracts; edit those instead. -->'
  return `${[`# ${title}`, note, ...parts].join('\n\n')}\n`
}

/** Text as code; nothing for nothing. */
export function code(text: string): string {
  return text === '' ? '' : `\`${text}\``
}
