import { machineListeners, socketInodes, type Listener } from './listeners.ts'

/** Finds listeners beyond loopback among processes. */
export interface ExposureWatch {
  /**
   * For each owner (a replica's id) the first listener beyond loopback that one of its processes holds. `pidsOf` is
   * called after the sockets were listed, so that a holder cannot be missed because it is younger than the list.
   */
  look(pidsOf: () => ReadonlyMap<string, readonly number[]>): ReadonlyMap<string, Listener>
  /** Forgets what earlier looks cleared. */
  forget(): void
}

/** Creates a watch that looks at a socket's holders only once; `list` and `inodesOf` are the machine's. */
export function createExposureWatch(
  list: () => readonly Listener[] = machineListeners,
  inodesOf: (pid: number) => ReadonlySet<string> = socketInodes,
): ExposureWatch {
  let cleared: ReadonlySet<string> = new Set()
  return {
    look: (pidsOf) => {
      const open = list().filter((listener) => !listener.loopback)
      const found = new Map<string, Listener>()
      const fresh = new Map(open.filter(({ inode }) => !cleared.has(inode)).map((item) => [item.inode, item]))
      for (const [owner, pids] of fresh.size === 0 ? [] : pidsOf()) {
        const inode = pids.flatMap((pid) => [...inodesOf(pid)]).find((item) => fresh.has(item))
        const listener = fresh.get(inode ?? '')
        if (listener !== undefined) found.set(owner, listener)
      }
      const guilty = new Set([...found.values()].map((listener) => listener.inode))
      cleared = new Set(open.map((listener) => listener.inode).filter((inode) => !guilty.has(inode)))
      return found
    },
    forget: () => {
      cleared = new Set()
    },
  }
}
