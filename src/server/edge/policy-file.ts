import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { EdgePolicies, EdgePolicy } from '../../contracts/edge-policy.ts'
import { HoldfastError } from '../../kernel/std/index.ts'
import { parseJson, readIfThere, replaceFile } from '../files/index.ts'
import { parsePolicy } from './parse-policy.ts'

/** The last accepted policy on disk: the edge serves on it while control is away. */
export interface PolicyFile {
  /** Null: there is none yet. Errors: `edge.policy-unreadable`. */
  read(): Promise<EdgePolicy | null>
  /** As it lies there, unchecked; null: there is none, or it cannot be read. Never throws. */
  look(): EdgePolicies['kept']
  /** On disk when it returns. Errors: the system's. */
  write(policy: EdgePolicy): void
}

/**
 * The policy file below a data directory. Beside it lies a mark, the hash of the version that wrote it and of what it
 * wrote. A file that fits its mark was checked by this program already and is read without its schema, whose loading
 * takes a third of the time in which an edge starts. Any other is served on as well, under a revision of its own, so that
 * control sends the right one as soon as it runs.
 */
export function openPolicyFile(dataDirectory: string, version: string): PolicyFile {
  const directory = join(dataDirectory, 'edge')
  const path = join(directory, 'policy.json')
  const markPath = join(directory, 'policy.mark')
  const markOf = (text: string): string => createHash('sha256').update(`${version}\n${text}`).digest('hex')
  return {
    read: async () => {
      const text = readIfThere(path)
      if (text === undefined) return null
      if (readIfThere(markPath) === markOf(text)) return JSON.parse(text) as EdgePolicy
      const parsed = await parsePolicy(text)
      // By its revision control would take it for its own, whoever changed it.
      if ('policy' in parsed) return { ...parsed.policy, revision: markOf(text) }
      throw unreadable(path, parsed)
    },
    look: () => lookAt(path),
    write: (policy) => {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      const text = JSON.stringify(policy)
      replaceFile(path, text, true)
      replaceFile(markPath, markOf(text), false)
    },
  }
}

type Kept = NonNullable<EdgePolicies['kept']>

function lookAt(path: string): EdgePolicies['kept'] {
  try {
    const modifiedAt = Math.floor(statSync(path).mtimeMs)
    const policy = parseJson(readFileSync(path, 'utf8')) as Kept['policy'] | undefined
    return { modifiedAt, policy: policy ?? null }
  } catch {
    return null
  }
}

function unreadable(path: string, { issue, cause }: { issue: string; cause: Error }): HoldfastError {
  return new HoldfastError({
    code: 'edge.policy-unreadable',
    kind: 'operational',
    message: `${path} is damaged or of another version: ${issue}`,
    hint: 'control sends a fresh one as soon as it runs',
    cause,
  })
}
