import { takeOver } from '../../../server/launch/index.ts'
import type { Parsed } from '../../arguments/index.ts'
import { textOf, type Surroundings } from '../../commands/command.ts'
import { findDataDirectory } from '../../control/index.ts'
import { readVersion } from '../../version.ts'

/** `holdfast take-over`: this installation runs what another one runs. Resolves to the exit code. */
export async function takeOverHere(parsed: Parsed, { directions, voice }: Surroundings): Promise<number> {
  const dataDirectory = await findDataDirectory(directions)
  const because = textOf(parsed, 'because') ?? 'it took over from another installation'
  const stores = textOf(parsed, 'stores') === 'keep' ? 'keep' : 'leave'
  await takeOver({ dataDirectory, because, stores })
  voice.say([`Holdfast ${readVersion()} runs ${dataDirectory}.`])
  if (voice.json) voice.document({ version: readVersion(), dataDirectory })
  return 0
}
