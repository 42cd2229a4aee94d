import { rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname } from 'node:path'

/** Removes the directory of a socket, when it was made below the temporary directory for its sake and nothing else is in it. */
export function removeShortPlace(path: string): void {
  const place = dirname(path)
  if (dirname(place) !== tmpdir()) return
  try {
    rmdirSync(place)
  } catch {
    // Somebody else's things are in it, or it is gone.
  }
}
