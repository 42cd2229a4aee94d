import type { EdgeConfig } from '../config.ts'
import { knownProxies } from './known-proxies.ts'

type TrustProxies = EdgeConfig['trustProxies']

/** Something about the section that is allowed and probably not meant. */
export interface PolicyFinding {
  readonly path: string
  readonly message: string
  readonly hint: string
}

/** Addresses and ranges, with the names resolved. */
export function trustedRanges(trustProxies: TrustProxies): string[] {
  return trustProxies.flatMap((entry) => rangesOf(entry) ?? [entry])
}

function rangesOf(entry: string): readonly string[] | undefined {
  return Object.entries(knownProxies).find(([name]) => name === entry)?.[1]
}

/** Nobody owns so large a network of proxies. */
const widestBits = { ipv4: 8, ipv6: 16 }

/** Ranges with which nearly everybody is a trusted proxy, so that a client may name any address as its own. */
export function findBroadTrust({ trustProxies }: Pick<EdgeConfig, 'trustProxies'>): readonly PolicyFinding[] {
  return trustProxies.flatMap((entry, index) => {
    const bits = /\/(\d+)$/.exec(entry)?.[1]
    const least = entry.includes(':') ? widestBits.ipv6 : widestBits.ipv4
    if (bits === undefined || Number(bits) >= least) return []
    const who = Number(bits) === 0 ? 'everybody' : 'a large part of the internet'
    return {
      path: `edge.trustProxies.${index}`,
      message: `"${entry}" trusts ${who}: any client can choose the address that limits count it by`,
      hint: 'name the addresses of your proxies only, or cloudflare, fastly, private, loopback',
    }
  })
}
