import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Whether a folder of `NODE_COMPILE_CACHE` keeps code that comes from a source with these words. */
export function isCompiled(directory: string, words: string): boolean {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((each) => each.isFile())
      .some(({ parentPath, name }) => readFileSync(join(parentPath, name)).includes(words))
  } catch {
    return false // Node writes files under another name first, which are gone in between.
  }
}
