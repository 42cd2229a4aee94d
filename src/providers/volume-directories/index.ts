import { chmod, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { VolumeStore } from '../../capabilities/environment/ports.ts'

/** Volumes as directories below an absolute one, which is made when the first volume is. */
export function volumeDirectories(directory: string): VolumeStore {
  const directoryOf = (volume: string): string => join(directory, volume)
  return {
    directoryOf,
    ensure: async (volume) => {
      await mkdir(directoryOf(volume), { recursive: true, mode: 0o700 })
      // Services that run as users of their own pass through to what is theirs.
      await chmod(directory, 0o711)
    },
    remove: (volume) => rm(directoryOf(volume), { recursive: true, force: true }),
  }
}
