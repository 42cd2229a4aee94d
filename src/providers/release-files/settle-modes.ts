import { chmod, lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

const directoryMode = 0o755
const fileMode = 0o644
const programMode = 0o755
const ownerRuns = 0o100

/**
 * Lets everybody read a tree and run what its owner may run, and nobody write to it but its owner: services may run as
 * users of their own. Whatever else modes said (setuid, say) is gone.
 */
export async function settleModes(root: string, signal: AbortSignal): Promise<void> {
  await chmod(root, directoryMode)
  for (const entry of await readdir(root, { withFileTypes: true })) {
    signal.throwIfAborted()
    const path = join(root, entry.name)
    if (entry.isDirectory()) await settleModes(path, signal)
    else if (entry.isFile()) await settleFile(path)
  }
}

async function settleFile(path: string): Promise<void> {
  const { mode } = await lstat(path)
  await chmod(path, (mode & ownerRuns) === 0 ? fileMode : programMode)
}
