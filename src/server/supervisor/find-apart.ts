import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { refuseApart } from '../../contracts/socket-door.ts'
import { asHoldfastError } from '../../kernel/std/index.ts'
import { edgeProcess } from '../../providers/edge-process/index.ts'
import { localEngine } from '../../providers/local-engine/index.ts'
import { requestOverSocket } from '../../providers/unix-http/index.ts'

async function askControl(dataDirectory: string): Promise<void> {
  const file = await readFile(join(dataDirectory, 'run', 'control.json'), 'utf8')
  refuseApart('control', (JSON.parse(file) as { protocol?: unknown } | null)?.protocol)
}

async function whyApart(ask: () => Promise<unknown>): Promise<readonly string[]> {
  try {
    await ask()
    return []
  } catch (error) {
    const { code, message } = asHoldfastError(error)
    return code === 'house.versions-apart' ? [message] : []
  }
}

/** Which processes of a house that runs are of versions that this program does not understand, a sentence each. */
export async function findApart(dataDirectory: string): Promise<readonly string[]> {
  const house = { dataDirectory, request: requestOverSocket }
  const found = await Promise.all([
    whyApart(() => localEngine(house).status()),
    whyApart(() => askControl(dataDirectory)),
    whyApart(() => edgeProcess(house).state()),
  ])
  return found.flat()
}
