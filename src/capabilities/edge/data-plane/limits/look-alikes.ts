import type { LookAlike } from '../shared/index.ts'

/** Peers that are told apart at once. */
const mostPeers = 16

/** Counts requests of private peers that speak for others without being trusted. */
export interface LookAlikes {
  count(address: string): void
  /** Takes what was counted since the last time. */
  take(): readonly LookAlike[]
}

/** Creates the count of one thread. */
export function createLookAlikes(): LookAlikes {
  let counts = new Map<string, number>()
  return {
    count: (address) => {
      const known = counts.get(address)
      if (known !== undefined || counts.size < mostPeers) counts.set(address, (known ?? 0) + 1)
    },
    take: () => {
      const peers = [...counts].map(([address, requests]) => ({ address, requests }))
      if (peers.length > 0) counts = new Map()
      return peers
    },
  }
}
