import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { edgePolicy, type EdgePolicy } from '../../contracts/edge-policy.ts'
import { HoldfastError } from '../../kernel/std/index.ts'
import { parseJson, readIfThere, replaceFile } from '../supervisor/records/atomic-file.ts'

/** The last accepted policy on disk: the edge serves on it while control is away. */
export interface PolicyFile {
  /** Null: there is none yet. Errors: `edge.policy-unreadable`. */
  read(): EdgePolicy | null
  /** On disk when it returns. Errors: the system's. */
  write(policy: EdgePolicy): void
}

/** The policy file below a data directory. */
export function openPolicyFile(dataDirectory: string): PolicyFile {
  const directory = join(dataDirectory, 'edge')
  const path = join(directory, 'policy.json')
  return {
    read: () => {
      const text = readIfThere(path)
      if (text === undefined) return null
      const parsed = edgePolicy.safeParse(parseJson(text))
      if (parsed.success) return parsed.data
      throw new HoldfastError({
        code: 'edge.policy-unreadable',
        kind: 'operational',
        message: `${path} is damaged or of another version: ${parsed.error.issues[0]?.message ?? ''}`,
        hint: 'control sends a fresh one as soon as it runs',
        cause: parsed.error,
      })
    },
    write: (policy) => {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      replaceFile(path, JSON.stringify(policy), true)
    },
  }
}
