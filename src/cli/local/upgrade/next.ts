import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { HoldfastError } from '../../../kernel/std/index.ts'
import { storeVersions } from '../../../server/composition/index.ts'
import { parseJson } from '../../../server/files/index.ts'
import type { Installation } from '../installation.ts'

/** What another installation says about an environment file, and about itself. */
export interface Checked {
  readonly hash: string
  /** Versions of the tables that it writes, by file. */
  readonly stores: Readonly<Record<string, number>>
}

/** How a command of another installation ended. */
interface Said {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs a command of an installation to its end. */
export async function callInstallation(
  { program: [node, script] }: Installation,
  words: readonly string[],
  variables: NodeJS.ProcessEnv,
): Promise<Said> {
  const child = spawn(node, [script, ...words], { env: variables, stdio: ['ignore', 'pipe', 'pipe'] })
  const code = new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null))
    child.once('close', resolve)
  })
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { code: await code, out, err }
}

/** The variables that a process was started with; our own where the system does not tell. */
export async function variablesOf(pid: number): Promise<NodeJS.ProcessEnv> {
  const environ = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => null)
  if (environ === null) return process.env
  const entries = environ.split('\0').filter(Boolean)
  return Object.fromEntries(
    entries.map((entry): [string, string] => {
      const at = entry.indexOf('=')
      return [entry.slice(0, at), entry.slice(at + 1)]
    }),
  )
}

/** What a command that failed complains of. */
export const complaintOf = ({ out, err }: Said): string => {
  const { error } = (parseJson(err) ?? parseJson(out) ?? {}) as { error?: { message?: unknown } }
  return typeof error?.message === 'string' ? error.message : err.trim().split('\n').slice(-3).join('\n')
}

/** Asks an installation to check a file. Errors: `upgrade.refused`. */
export async function checkWith(
  next: Installation,
  file: string,
  variables: NodeJS.ProcessEnv,
): Promise<Checked> {
  const said = await callInstallation(next, ['check', file, '--json'], variables)
  const { hash, stores } = (parseJson(said.out) ?? {}) as Partial<Checked>
  if (said.code === 0 && typeof hash === 'string' && typeof stores === 'object') return { hash, stores }
  throw new HoldfastError({
    code: 'upgrade.refused',
    kind: 'user',
    message: `Holdfast ${next.version} does not run ${file}: ${complaintOf(said)}`,
    hint: 'nothing was changed',
  })
}

/** Whether the next version changes stores for good. Errors: `upgrade.downgrade`. */
export function changesStores(stores: Checked['stores'], version: string): boolean {
  const ours = Object.entries(storeVersions)
  const older = ours.find(([name, known]) => (stores[name] ?? 0) < known)
  if (older === undefined) return ours.some(([name, known]) => (stores[name] ?? 0) > known)
  throw new HoldfastError({
    code: 'upgrade.downgrade',
    kind: 'user',
    message: `Holdfast ${version} knows ${older[0]} up to version ${stores[older[0]] ?? 0} of its tables; it has version ${older[1]}`,
    hint: 'there is no way back to it with this data directory; nothing was changed',
  })
}
