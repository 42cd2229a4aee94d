import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { ReplicaSpec } from '../../../contracts/supervisor.ts'
import { findSetpriv, type ProcessUser } from '../machine/as-user.ts'
import type { ProcessTable } from '../machine/process-table.ts'
import type { DataLayout } from '../paths.ts'
import type { PlannedProcess, SupervisorPlan } from '../plan.ts'
import { openIdBook, type IdBook } from './id-book.ts'
import { missingPowers, parseAccounts, type Owner } from './identity.ts'
import { giveTree, settleOwners } from './settle.ts'
import { whyNot } from './trial.ts'
import { strangersIds } from './strangers.ts'

/** Whom the processes of this house run as. Null stands for the user of the supervisor. */
export interface Users {
  ofProcess(name: PlannedProcess['name']): ProcessUser | null
  /**
   * Also sees to it that the directories that it writes to are its own. `hand` puts the files in place that it is handed
   * and answers with their paths.
   */
  ofReplica(spec: ReplicaSpec, hand: (user: ProcessUser) => readonly string[]): Promise<ProcessUser | null>
  /** Who runs as root and why, in words. */
  notes(): readonly string[]
}

/** What users are given out with. */
export interface UsersParts {
  readonly layout: DataLayout
  /** See `environmentHash`. */
  readonly environment: string
  readonly plan: SupervisorPlan
  readonly table: ProcessTable
}

/** macOS allows 103 bytes in a socket's path; a longer one lies in a directory that only its maker may enter. */
const mostSocketBytes = 103

const everybodyAsUs = (note: string | null): Users => ({
  ofProcess: () => null,
  ofReplica: () => Promise.resolve(null),
  notes: () => (note === null ? [] : [`control, edge and services run as root: ${note}`]),
})

/** Why this machine does not let us run others as other users, in words; null when it does. For root on Linux. */
export function whyNoUsers(): string | null {
  const missing = missingPowers(readFileSync('/proc/self/status', 'utf8'))
  if (missing.length > 0) return `root is without ${missing.map((name) => `CAP_${name}`).join(', ')} here`
  return findSetpriv() === undefined ? 'there is no setpriv; it is part of util-linux' : null
}

/**
 * Decides whom control and edge run as and gives them the data directory. Started as anybody but root, or where that
 * cannot be done, everybody runs as the supervisor does. Throws the system's error when the directory cannot be given.
 */
export async function openUsers(parts: UsersParts): Promise<Users> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return everybodyAsUs(null)
  const why = whyNoUsers()
  if (why !== null) return everybodyAsUs(why)
  const { layout, environment, table } = parts
  const taken = strangersIds(table, environment, accounts())
  const book = openIdBook({ path: join(layout.state, 'users.json'), environment, taken })
  const house = book.idOf(nameInBook('house'))
  const users = new SeparateUsers(book, house ?? 0)
  for (const planned of parts.plan.processes) await users.admit(planned, parts)
  const owner = (name: PlannedProcess['name']): Owner => users.ofProcess(name) ?? { uid: 0, gid: 0 }
  settleOwners(layout, { control: owner('control'), edge: owner('edge'), house: house ?? 0 })
  return users
}

/** Services may have these names too. */
const nameInBook = (ours: string): string => `holdfast:${ours}`

function accounts(): ReturnType<typeof parseAccounts> {
  return parseAccounts(readFileSync('/etc/passwd', 'utf8'))
}

class SeparateUsers implements Users {
  readonly #book: IdBook
  readonly #house: number
  readonly #processes = new Map<string, ProcessUser>()
  readonly #notes = new Map<string, string>()

  constructor(book: IdBook, house: number) {
    this.#book = book
    this.#house = house
  }

  ofProcess(name: PlannedProcess['name']): ProcessUser | null {
    return this.#processes.get(name) ?? null
  }

  notes(): readonly string[] {
    return [...this.#notes.values()]
  }

  /** Control and edge keep what was decided at the start: files belong to them. */
  async admit({ name, script, reads = [] }: PlannedProcess, { layout, plan }: UsersParts): Promise<void> {
    const user = this.#userOf(nameInBook(name))
    const sockets = [join(layout.run, 'supervisor.sock'), join(layout.data, 'edge', 'edge.sock')]
    if (user === null || sockets.some((path) => Buffer.byteLength(path) > mostSocketBytes)) {
      this.#note(name, user === null ? 'no user id is left' : 'the path of the data directory is too long')
      return
    }
    const why = await whyNot(user, {
      directory: dirname(layout.data),
      program: plan.node,
      searchPath: undefined,
      reads: [script, ...reads.filter((file) => existsSync(file))],
    })
    if (why === null) this.#processes.set(name, user)
    else this.#note(name, `a user of its own (${user.uid}) would not do: ${why}`)
  }

  async ofReplica(
    spec: ReplicaSpec,
    hand: (user: ProcessUser) => readonly string[],
  ): Promise<ProcessUser | null> {
    const { service, user: named = service, command, directory, variables, writes = [] } = spec
    this.#notes.delete(service)
    if (named === 'root') return null
    const account = accounts().get(named)
    const user = account === undefined ? this.#userOf(named) : { ...account, groups: [this.#house] }
    if (user === null) return this.#note(service, 'no user id is left')
    const [program = '', ...rest] = command
    const reads = rest.filter((argument) => argument !== '' && existsSync(resolve(directory, argument)))
    const why = await whyNot(user, {
      directory,
      program,
      searchPath: variables['PATH'],
      reads: [...reads, ...hand(user)],
    })
    if (why !== null) return this.#note(service, `a user of its own (${user.uid}) would not do: ${why}`)
    for (const place of writes) own(resolve(directory, place), user)
    return user
  }

  #userOf(name: string): ProcessUser | null {
    const id = this.#book.idOf(name)
    return id === undefined ? null : { uid: id, gid: id, groups: [this.#house] }
  }

  #note(who: string, why: string): null {
    this.#notes.set(who, `${who} runs as root: ${why}`)
    return null
  }
}

/** The whole of it only when it has changed hands: it may be large. */
function own(place: string, user: ProcessUser): void {
  mkdirSync(place, { recursive: true })
  if (statSync(place).uid !== user.uid) giveTree(place, user)
}
