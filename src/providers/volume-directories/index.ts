import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { VolumeStore } from '../../capabilities/environment/ports.ts'

/**
 * Volumes as directories below an absolute one, which is made when the first volume is. What is in one belongs to the user of
 * a service: `remove` is whoever may remove it.
 */
export function volumeDirectories(directory: string, remove: (volume: string) => Promise<void>): VolumeStore {
  const directoryOf = (volume: string): string => join(directory, volume)
  return {
    directoryOf,
    remove,
    whyKept: () => Promise.resolve(null),
    ensure: async (volume) => {
      await mkdir(directoryOf(volume), { recursive: true, mode: 0o700 })
      // Services that run as users of their own pass through to what is theirs.
      await chmod(directory, 0o711)
    },
  }
}
