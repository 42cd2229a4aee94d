import { keyText, type Ask } from '../book.ts'

const mostDimensions = 8

/** The text of a subject of a limit: different ones never have the same. */
export function subjectText({ entry, by }: Ask): string {
  return `${entry.name}\n${keyText({ per: entry.dimensions }, by)}`
}

/** The subject as `contracts/limits.ts` wants it: texts, and not more than it takes. */
export function wireBy({ entry, by }: Ask): Readonly<Record<string, string>> {
  const names = Object.keys(by)
  const sent = names.length <= mostDimensions ? names : entry.dimensions
  return Object.fromEntries(sent.map((name) => [name, String(by[name])]))
}
