import { resolve } from 'node:path'
import { HoldfastError, plainError, systemClock } from '../../../kernel/std/index.ts'
import { loadAccepted, type LoadedEnvironment } from '../../../server/composition/index.ts'
import { takeOver } from '../../../server/launch/index.ts'
import { dataLayout, forgetStores, isRunning, readSupervisorFile } from '../../../server/supervisor/index.ts'
import type { Parsed } from '../../arguments/index.ts'
import { textOf, type Surroundings } from '../../commands/command.ts'
import { findDataDirectory } from '../../control/index.ts'
import { readVersion } from '../../version.ts'
import { waitHealthy, waitServed } from '../../../server/bring-up/index.ts'
import { risingOf } from '../rising.ts'
import { findUnits, type FoundUnit } from '../install/index.ts'
import { findInstallation, type Installation } from '../installation.ts'
import { createTerminal, type Terminal } from '../terminal.ts'
import { placeOfInstallation } from './unpack.ts'
import { callInstallation, changesStores, checkWith, complaintOf, variablesOf } from './next.ts'

interface Upgrade {
  readonly data: string
  readonly loaded: LoadedEnvironment
  readonly next: Installation
  readonly terminal: Terminal
  /** Variables of the supervisor that runs. */
  readonly variables: NodeJS.ProcessEnv
}

const healthyTimeoutMs = 120_000

const refuse = (message: string, hint: string): HoldfastError =>
  new HoldfastError({ code: 'upgrade.refused', kind: 'user', message, hint })

/** The one that runs has to be ours: it is what we go back to. */
async function findRunning(data: string): Promise<number | null> {
  const running = await isRunning(data)
  if (running === null) return null
  const version = readSupervisorFile(dataLayout(data))?.version
  if (version === readVersion()) return running.pid ?? 0
  throw refuse(
    `Holdfast ${version ?? 'of another version'} runs on ${data}, and this is ${readVersion()}`,
    'upgrade with the command of the installation that runs: it is what an upgrade falls back to',
  )
}

async function look(upgrade: Upgrade): Promise<'keep' | 'leave'> {
  const { next, loaded, variables, terminal } = upgrade
  terminal.doing(`asking Holdfast ${next.version} about ${loaded.file}`)
  const checked = await checkWith(next, loaded.file, variables)
  if (checked.hash !== loaded.hash)
    throw refuse(
      `${loaded.file} was changed since it was accepted`,
      'run "holdfast reload" first, then upgrade',
    )
  const stores = changesStores(checked.stores, next.version) ? 'keep' : 'leave'
  terminal.done(
    stores === 'keep'
      ? `Holdfast ${next.version} takes the file, and changes the stores; a copy is kept until it is healthy`
      : `Holdfast ${next.version} takes the file and the stores as they are`,
  )
  return stores
}

async function getHealthy({ data, loaded, terminal }: Upgrade): Promise<void> {
  const rising = risingOf({ loaded, dataDirectory: data, terminal })
  const signal = AbortSignal.timeout(healthyTimeoutMs)
  const { client } = await waitHealthy(rising, signal)
  await waitServed(client, rising, signal)
}

async function handOver(upgrade: Upgrade, stores: 'keep' | 'leave'): Promise<void> {
  const { next, data, variables, terminal } = upgrade
  terminal.doing(`handing over to Holdfast ${next.version}`)
  const because = `upgraded from ${readVersion()}`
  const words = ['take-over', '--data', data, '--because', because, '--stores', stores, '--json']
  const said = await callInstallation(next, words, variables)
  if (said.code !== 0) throw new Error(complaintOf(said))
  await getHealthy(upgrade)
}

async function goBack(upgrade: Upgrade, stores: 'keep' | 'leave', cause: unknown): Promise<never> {
  const { next, data, terminal } = upgrade
  const { message } = plainError(cause)
  const runs = readSupervisorFile(dataLayout(data))?.version
  if (runs === next.version && next.version !== readVersion()) {
    terminal.doing(`Holdfast ${next.version} did not get healthy: going back`)
    const because = `rolled back from ${next.version}: ${message}`.slice(0, 1000)
    await takeOver({ dataDirectory: data, because, stores: stores === 'keep' ? 'bring-back' : 'leave' })
    forgetStores(data)
  }
  await getHealthy(upgrade)
  terminal.done(`Holdfast ${readVersion()} runs again and everything is healthy`)
  throw new HoldfastError({
    code: 'upgrade.rolled-back',
    kind: 'operational',
    message: `Holdfast ${next.version} did not get healthy, so ${readVersion()} runs again: ${message}`,
    hint: 'logs/control.log, logs/edge.log and logs/supervisor.log in the data directory say more',
    cause,
  })
}

async function rewrite(unit: FoundUnit | undefined, { next, terminal }: Upgrade): Promise<void> {
  if (unit === undefined) return
  const name = unit.name.replace(/\.service$/, '')
  const words = ['install', '--config', unit.config, '--data', unit.data, '--name', name]
  const { code, err } = await callInstallation(next, words, process.env)
  if (code !== 0)
    throw refuse(`${unit.file} was not rewritten: ${err.trim()}`, 'run "holdfast install" of the new version')
  terminal.done(`${unit.file} starts Holdfast ${next.version} from now on`)
}

/** `holdfast upgrade`: lets another installation run the environment. Resolves to the exit code. */
export async function upgrade(parsed: Parsed, { directions, voice }: Surroundings): Promise<number> {
  const terminal = createTerminal(voice.json ? process.stderr : process.stdout, process.env)
  const data = await findDataDirectory(directions)
  const to = resolve(directions.directory, textOf(parsed, 'to') ?? '.')
  terminal.doing(`looking at ${to}`)
  const next = await findInstallation(await placeOfInstallation(to, process.env))
  const unit = (await findUnits('/')).find((each) => each.data === data)
  const pid = await findRunning(data)
  if (pid === null && unit === undefined)
    throw refuse(`no Holdfast runs on ${data}`, 'there is nothing to upgrade: start the new version')
  const loaded = await loadAccepted(data)
  const variables = pid === null ? process.env : await variablesOf(pid)
  const whole: Upgrade = { data, loaded, next, terminal, variables }
  const stores = await look(whole)
  const startedMs = systemClock.monotonicMs()
  if (pid !== null) {
    await handOver(whole, stores).catch((error: unknown) => goBack(whole, stores, error))
    forgetStores(data)
    const seconds = ((systemClock.monotonicMs() - startedMs) / 1000).toFixed(1)
    terminal.done(`Holdfast ${next.version} runs and everything is healthy after ${seconds} s`)
  }
  await rewrite(unit, whole)
  if (voice.json) voice.document({ from: readVersion(), to: next.version, dataDirectory: data })
  return 0
}
