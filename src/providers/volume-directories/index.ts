import { chmod, mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { KeptVolume, VolumeStore } from '../../capabilities/environment/ports.ts'
import { systemCode } from '../../kernel/std/index.ts'
import { measureDirectory } from './measure-directory.ts'

export { measureDirectory }

/** Who may do with the files of users of services what control may not. */
export interface VolumeHands {
  readonly remove: (volume: string) => Promise<void>
  /** Bytes of its files; null: not known. */
  readonly measure: (volume: string) => Promise<number | null>
}

/**
 * Volumes as directories below an absolute one, which is made when the first volume is. What is in one belongs to the user of
 * a service.
 */
export function volumeDirectories(directory: string, { remove, measure }: VolumeHands): VolumeStore {
  const directoryOf = (volume: string): string => join(directory, volume)
  const sizeOf = (volume: string): Promise<number | null> =>
    measureDirectory(directoryOf(volume)).catch((error: unknown) => {
      if (systemCode(error) !== 'EACCES') throw error
      // A supervisor of an earlier version cannot say.
      return measure(volume).catch(() => null)
    })
  const look = async (name: string): Promise<KeptVolume> => {
    const place = directoryOf(name)
    const { birthtimeMs } = await stat(place)
    return { name, place, since: Math.floor(birthtimeMs), sizeBytes: await sizeOf(name) }
  }
  return {
    directoryOf,
    placeOf: directoryOf,
    remove,
    whyKept: () => Promise.resolve(null),
    ensure: async (volume) => {
      const made = await mkdir(directoryOf(volume), { recursive: true, mode: 0o700 })
      // Services that run as users of their own pass through to what is theirs.
      await chmod(directory, 0o711)
      return made !== undefined
    },
    list: async () => {
      const found = await readdir(directory, { withFileTypes: true }).catch(noneYet)
      const names = found.filter((entry) => entry.isDirectory()).map(({ name }) => name)
      const kept: KeptVolume[] = []
      // One after the other: a walk through many files is work enough for a disk.
      for (const name of names.toSorted()) kept.push(...(await look(name).then((one) => [one], noneYet)))
      return kept
    },
  }
}

function noneYet(error: unknown): [] {
  if (systemCode(error) === 'ENOENT') return []
  throw error
}
