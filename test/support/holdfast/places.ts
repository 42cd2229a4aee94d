import { afterEach } from 'vitest'
import { makePlace, type Place } from './index.ts'

/** Makes places, each of which is cleared after the test that it was made in. */
export function placesOfTests(): () => Promise<Place> {
  const places: Place[] = []
  afterEach(async () => {
    for (const place of places.splice(0)) await place.clear()
  })
  return async () => {
    const made = await makePlace()
    places.push(made)
    return made
  }
}
