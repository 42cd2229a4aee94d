import { text as askText, isCancel } from '@clack/prompts'
import { rm } from 'node:fs/promises'
import { HoldfastError } from '../../../kernel/std/index.ts'
import { loadAccepted } from '../../../server/composition/index.ts'
import { isRunning, stopSupervisor } from '../../../server/supervisor/index.ts'
import type { Parsed } from '../../arguments/index.ts'
import { isSet, textOf, type Surroundings } from '../../commands/command.ts'
import { findDataDirectory } from '../../control/index.ts'
import { findUnits, hasSystemd, removeUnit, systemctl, type FoundUnit } from './units.ts'

async function findOurs(
  data: string,
  root: string,
  name: string | undefined,
): Promise<FoundUnit | undefined> {
  const units = await findUnits(root)
  return units.find((unit) => (name === undefined ? unit.data === data : unit.name === `${name}.service`))
}

async function nameOfEnvironment(data: string, unit: FoundUnit | undefined): Promise<string> {
  if (unit !== undefined) return unit.environment
  return (await loadAccepted(data)).environment.name
}

/** Destroying takes the name, typed out. Errors: `install.name-needed`. */
async function confirm(
  parsed: Parsed,
  { interactive }: Surroundings,
  about: { name: string; data: string },
): Promise<void> {
  const { name, data } = about
  const given = textOf(parsed, 'yesDestroy')
  const message = `${data} will be destroyed, with all that happened. Type the name of the environment:`
  const typed = given ?? (interactive ? await askText({ message, placeholder: name }) : undefined)
  if (!isCancel(typed) && typed === name) return
  throw new HoldfastError({
    code: 'install.name-needed',
    kind: 'user',
    message: `nothing was removed: to destroy ${data}, the name of its environment has to be typed out`,
    hint: `add --yes-destroy ${name}`,
  })
}

async function stopUnit({ name }: FoundUnit): Promise<void> {
  if (await hasSystemd()) await systemctl('disable', '--now', name)
}

interface Installed {
  readonly unit: FoundUnit | undefined
  readonly data: string
  /** This machine's own file system: its systemd is to be told. */
  readonly isHere: boolean
}

async function findInstalled(parsed: Parsed, { directions }: Surroundings): Promise<Installed> {
  const root = textOf(parsed, 'root')
  const near = await findDataDirectory(directions)
  const unit = await findOurs(near, root ?? '/', textOf(parsed, 'name'))
  return { unit, data: unit?.data ?? near, isHere: root === undefined }
}

function refuseNothing({ unit, data }: Installed, purges: boolean): void {
  if (unit !== undefined || purges) return
  throw new HoldfastError({
    code: 'install.not-installed',
    kind: 'user',
    message: `no unit of systemd runs ${data}`,
    hint: 'name it with --name or --data; "holdfast down" stops what you started yourself',
  })
}

/** Says what was done, a line for each. */
async function stopAndRemove({ unit, data, isHere }: Installed): Promise<readonly string[]> {
  if (unit !== undefined && isHere) await stopUnit(unit)
  const runs = (await isRunning(data)) !== null
  if (runs) await stopSupervisor(data)
  const stopped = runs ? ['Everything was stopped.'] : []
  if (unit === undefined) return stopped
  await removeUnit(unit.file)
  if (isHere && (await hasSystemd())) await systemctl('daemon-reload')
  return [...stopped, `${unit.file} was removed.`]
}

/** `holdfast uninstall`: stops the environment and takes it from systemd. Resolves to the exit code. */
export async function uninstall(parsed: Parsed, surroundings: Surroundings): Promise<number> {
  const { voice } = surroundings
  const installed = await findInstalled(parsed, surroundings)
  const { unit, data } = installed
  const purges = isSet(parsed, 'purge')
  refuseNothing(installed, purges)
  if (purges) await confirm(parsed, surroundings, { data, name: await nameOfEnvironment(data, unit) })
  const done = await stopAndRemove(installed)
  if (purges) await rm(data, { recursive: true, force: true })
  const rest = purges ? `${data} was removed.` : `${data} is still there; --purge removes it as well.`
  voice.say([...done, rest])
  if (voice.json) voice.document({ unit: unit?.name ?? null, data, purged: purges })
  return 0
}
