import { randomBytes } from 'node:crypto'
import { run, tryRun } from './run.ts'

/** Machines on one wire, each in a network namespace of its own; this process reaches all of them. */
export interface Network {
  /** Files of the namespaces, and the addresses in them. */
  readonly machines: readonly { readonly namespace: string; readonly address: string }[]
  remove(): Promise<void>
}

const inside = (name: string, ...parts: readonly string[]): Promise<void> =>
  run('nsenter', `--net=/run/netns/${name}`, 'ip', ...parts)

/** Puts one end of a cable where it belongs. */
async function plug(name: string, end: string, address: string | null): Promise<void> {
  await run('ip', 'link', 'set', end, 'netns', name)
  if (address !== null) await inside(name, 'address', 'add', `${address}/24`, 'dev', end)
  await inside(name, 'link', 'set', end, 'up')
}

/**
 * Lays the wires: the first namespace has the bridge into which the cables of the others and of this machine go, so that
 * whatever filters packets here has nothing to say about them. Needs root.
 */
export async function layNetwork(count: number): Promise<Network> {
  const id = randomBytes(3)
  const net = `198.${18 + ((id[0] ?? 0) % 2)}.${id[1] ?? 0}`
  const prefix = `hf${id.toString('hex')}`
  const names = Array.from({ length: count }, (_, index) => `${prefix}n${index}`)
  const addressOf = (index: number): string => `${net}.${index + 2}`
  const hub = names[0] ?? ''
  const toHub = async (end: string): Promise<void> => {
    await plug(hub, end, null)
    await inside(hub, 'link', 'set', end, 'master', 'wire')
  }
  for (const name of names) {
    await run('ip', 'netns', 'add', name)
    await inside(name, 'link', 'set', 'lo', 'up')
  }
  await inside(hub, 'link', 'add', 'wire', 'type', 'bridge')
  await inside(hub, 'address', 'add', `${addressOf(0)}/24`, 'dev', 'wire')
  await inside(hub, 'link', 'set', 'wire', 'up')
  await run('ip', 'link', 'add', prefix, 'type', 'veth', 'peer', 'name', `${prefix}h`)
  await toHub(`${prefix}h`)
  await run('ip', 'address', 'add', `${net}.1/24`, 'dev', prefix)
  await run('ip', 'link', 'set', prefix, 'up')
  for (const [index, name] of names.entries()) {
    if (index > 0) {
      await run(
        'ip',
        'link',
        'add',
        `${prefix}a${index}`,
        'type',
        'veth',
        'peer',
        'name',
        `${prefix}b${index}`,
      )
      await toHub(`${prefix}a${index}`)
      await plug(name, `${prefix}b${index}`, addressOf(index))
    }
    await inside(name, 'route', 'add', 'default', 'via', `${net}.1`)
  }
  return {
    machines: names.map((name, index) => ({ namespace: `/run/netns/${name}`, address: addressOf(index) })),
    remove: async () => {
      await tryRun('ip', 'link', 'delete', prefix)
      for (const name of names) await tryRun('ip', 'netns', 'delete', name)
    },
  }
}
