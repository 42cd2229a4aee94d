import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** One golden file: an input, a line of `---`, and what is expected of it. */
export interface GoldenCase {
  /** Name of the file without its ending. */
  readonly name: string
  readonly file: string
  readonly input: string
  readonly expected: string
}

const separator = '\n---\n'

/** The cases of a folder, in the order of their names. */
export function readCases(folder: string): readonly GoldenCase[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.txt'))
    .sort()
    .map((name) => {
      const file = join(folder, name)
      const text = readFileSync(file, 'utf8')
      const at = text.lastIndexOf(separator)
      if (at < 0) throw new Error(`${file} has no line of ---`)
      return {
        name: basename(name, '.txt'),
        file,
        input: text.slice(0, at),
        expected: text.slice(at + separator.length).trimEnd(),
      }
    })
}

/** Writes a case with what came of it. */
export function writeExpected({ file, input }: GoldenCase, actual: string): void {
  writeFileSync(file, `${input}${separator}${actual}\n`)
}
