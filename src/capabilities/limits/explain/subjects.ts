import ipaddr from 'ipaddr.js'

/** What to look for when somebody asks about a subject. */
export interface Sought {
  /** As the doors write it; the first is the subject itself. */
  readonly subjects: readonly string[]
  /** Whether what is said of this subject, or of this range, concerns it. */
  concerns(said: string): boolean
}

function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  const [address = ''] = text.split('/')
  return ipaddr.isValid(address) && !/^\d+$/.test(address) ? ipaddr.process(address) : null
}

/** The network that limits count an address by, and the wider one: IPv4 itself and /24, IPv6 /64 and /48. */
function networksOf(address: ipaddr.IPv4 | ipaddr.IPv6): readonly [ip: string, prefix: string] {
  if (address instanceof ipaddr.IPv4) {
    const text = address.toString()
    return [text, `${text.slice(0, text.lastIndexOf('.'))}.0/24`]
  }
  const part = (count: number): string =>
    address.parts
      .slice(0, count)
      .map((each) => each.toString(16))
      .join(':')
  return [`${part(4)}::/64`, `${part(3)}::/48`]
}

function inRange(address: ipaddr.IPv4 | ipaddr.IPv6, said: string): boolean {
  const range = /^(?:ip|prefix):(.+\/\d+)$/.exec(said)?.[1]
  if (range === undefined || !ipaddr.isValidCIDR(range)) return false
  const [base, bits] = ipaddr.parseCIDR(range)
  return base.kind() === address.kind() && address.match(base, bits)
}

/** Works out what a subject is called on the timeline: an address counts by its network, and has a wider one. */
export function soughtOf(subject: string): Sought {
  const address = subject.startsWith('ip:') ? parseAddress(subject.slice(3)) : null
  const networks = address === null ? null : networksOf(address)
  const subjects = networks === null ? [subject] : [`ip:${networks[0]}`, `prefix:${networks[1]}`]
  const known = new Set([subject, ...subjects])
  return {
    subjects,
    concerns: (said) =>
      said.split(' and ').some((part) => known.has(part) || (address !== null && inRange(address, part))),
  }
}
