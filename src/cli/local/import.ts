import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { openTimeline } from '../../kernel/timeline/index.ts'
import { usageError, type Parsed } from '../arguments/index.ts'
import { textOf, type Surroundings } from '../commands/command.ts'
import { findDataDirectory } from '../control/index.ts'
import { plural } from '../output/index.ts'
import { linesOf } from './lines-of.ts'

/**
 * `holdfast timeline import <file>`: fills the empty timeline of a data directory from an export, link by link. Control
 * must not run on it. Resolves to the exit code. Errors: `timeline.import-refused`, `timeline.locked`, `cli.no-file`.
 */
export async function importTimeline(parsed: Parsed, { voice, directions }: Surroundings): Promise<number> {
  const file = textOf(parsed, 'file')
  if (file === undefined) throw usageError('name the export to import', { path: 'file' })
  const data = await findDataDirectory(directions)
  await mkdir(data, { recursive: true, mode: 0o700 })
  const timeline = await openTimeline({ path: join(data, 'timeline.db') })
  try {
    const imported = await timeline.importLines(linesOf(resolve(directions.directory, file)))
    if (voice.json) voice.document({ imported, data })
    else voice.say([`${plural(imported, 'fact')} imported into ${data}; the chain is whole`])
    return 0
  } finally {
    await timeline.close()
  }
}
