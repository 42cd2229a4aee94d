import { createHash } from 'node:crypto'
import type { ProcessUser } from '../machine/as-user.ts'

/** User and group of a file. */
export type Owner = Pick<ProcessUser, 'uid' | 'gid'>

/**
 * User ids that are ours to give: systemd ("Users, Groups, UIDs and GIDs on systemd systems") leaves this range to nobody,
 * `useradd` begins elsewhere, and it lies below 65,536, beyond which a container may have none. Inclusive.
 */
export const idRange = { first: 60_578, last: 61_183 } as const

const size = idRange.last - idRange.first + 1

/** Whether an id is one of those that we give. */
export const isOurs = (id: number): boolean => id >= idRange.first && id <= idRange.last

/**
 * The id for a name within an environment: always the same, unless it is taken, then the next that is free. Undefined
 * when all are taken.
 */
export function chooseId(environment: string, name: string, taken: ReadonlySet<number>): number | undefined {
  const start = createHash('sha256').update(`${environment}/${name}`).digest().readUInt32BE(0) % size
  for (let step = 0; step < size; step++) {
    const id = idRange.first + ((start + step) % size)
    if (!taken.has(id)) return id
  }
  return undefined
}

/** Accounts of this machine that a text as /etc/passwd (passwd(5)) names. */
export function parseAccounts(text: string): ReadonlyMap<string, Owner> {
  const rows = text.split('\n').flatMap((line) => {
    const [name = '', , uid = '', gid = ''] = line.split(':')
    return /^\d+$/.test(uid) && /^\d+$/.test(gid)
      ? [[name, { uid: Number(uid), gid: Number(gid) }] as const]
      : []
  })
  return new Map(rows)
}

/** What root needs to run others as other users and to look after them, by bit of capabilities(7). */
const powers: Readonly<Record<string, number>> = {
  CHOWN: 0,
  DAC_OVERRIDE: 1,
  KILL: 5,
  SETGID: 6,
  SETUID: 7,
  SYS_PTRACE: 19,
}

/** Which of them a root is without (one in a container may be), from the text of `/proc/self/status`. */
export function missingPowers(statusText: string): readonly string[] {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(statusText)?.[1] ?? '0'}`)
  return Object.keys(powers).filter((name) => ((effective >> BigInt(powers[name] ?? 0)) & 1n) === 0n)
}
