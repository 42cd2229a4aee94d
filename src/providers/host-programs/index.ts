import { access, constants, stat } from 'node:fs/promises'
import { delimiter, join, resolve } from 'node:path'

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch {
    return false
  }
}

/**
 * Whether a program can be started from a directory: a path to an executable file, relative to that directory, or a
 * name on `searchPath` (as PATH).
 */
export async function canRun(program: string, directory: string, searchPath: string): Promise<boolean> {
  if (!(await isDirectory(directory))) return false
  if (program.includes('/')) return isExecutable(resolve(directory, program))
  for (const folder of searchPath.split(delimiter)) {
    if (folder !== '' && (await isExecutable(join(folder, program)))) return true
  }
  return false
}
