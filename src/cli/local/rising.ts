import { createClient, type Client } from '../../client/index.ts'
import type { Rising } from '../../server/bring-up/index.ts'
import type { LoadedEnvironment } from '../../server/composition/index.ts'
import { locateControl } from '../control/index.ts'
import type { Terminal } from './terminal.ts'

/** An environment that is to get ready, and where that is said. */
export interface Ready {
  readonly loaded: LoadedEnvironment
  /** Absolute. */
  readonly dataDirectory: string
  readonly terminal: Terminal
}

async function connect(dataDirectory: string): Promise<Client | null> {
  const directions = { directory: dataDirectory, data: dataDirectory }
  const address = await locateControl(directions).catch(() => null) // not there yet
  return address === null ? null : createClient(address)
}

/** The same as the server waits for it: asked where the command line finds it, said in the terminal. */
export function risingOf({ loaded, dataDirectory, terminal }: Ready): Rising {
  const doing = (says: string): void => terminal.doing(says)
  return { loaded, dataDirectory, connect: () => connect(dataDirectory), doing }
}
