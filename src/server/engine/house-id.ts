import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { randomToken, systemCode, type Random } from '../../kernel/std/index.ts'

const idBytes = 9
const fileOf = (dataDirectory: string): string => join(dataDirectory, 'house.id')
const markOf = (dataDirectory: string): string => join(dataDirectory, 'take-over')

/** Id of a data directory, by which a swarm knows who looks after what; null: it has none yet. Errors: the system's. */
export async function readHouseId(dataDirectory: string): Promise<string | null> {
  try {
    return (await readFile(fileOf(dataDirectory), 'utf8')).trim()
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null
    throw error
  }
}

/** The same; it is made when there is none. Errors: the system's. */
export async function houseIdOf(dataDirectory: string, random: Random): Promise<string> {
  const found = await readHouseId(dataDirectory)
  if (found !== null) return found
  const made = randomToken(random, idBytes)
  const apart = `${fileOf(dataDirectory)}.${made}`
  await writeFile(apart, `${made}\n`, { mode: 0o600 })
  try {
    // Whoever was faster has made it.
    await link(apart, fileOf(dataDirectory))
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
  } finally {
    await rm(apart, { force: true })
  }
  return (await readHouseId(dataDirectory)) ?? made
}

/** Leaves word for control that it shall take over what another Holdfast looks after. Errors: the system's. */
export async function askForTakeOver(dataDirectory: string): Promise<void> {
  await writeFile(markOf(dataDirectory), '', { mode: 0o600 })
}

/** Whether that was asked for. */
export async function isTakeOverAsked(dataDirectory: string): Promise<boolean> {
  return readFile(markOf(dataDirectory)).then(
    () => true,
    () => false,
  )
}

/** It was done. Errors: the system's. */
export async function forgetTakeOver(dataDirectory: string): Promise<void> {
  await rm(markOf(dataDirectory), { force: true })
}
