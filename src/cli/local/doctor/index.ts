import { access, readFile } from 'node:fs/promises'
import { asHoldfastError } from '../../../kernel/std/index.ts'
import { findFile, loadEnvironment, type LoadedEnvironment } from '../../../server/composition/index.ts'
import { findApart } from '../../../server/supervisor/index.ts'
import type { Surroundings } from '../../commands/command.ts'
import { findDataDirectory, readRun, type Directions } from '../../control/index.ts'
import { table, type Paper, type Tone } from '../../output/index.ts'
import {
  diagnoseClock,
  diagnoseFiles,
  diagnoseNode,
  diagnoseSystem,
  diagnoseVersions,
  type Diagnosis,
} from './diagnosis.ts'
import { lookAtSystemd, lookAtUsers } from './look-at-users.ts'
import { lookAtClock, lookAtControlGroups, lookAtDisk, lookAtPort } from './looks.ts'

interface FoundEnvironment {
  readonly loaded: LoadedEnvironment | null
  readonly diagnosis: Diagnosis
}

async function lookAtFile({ config, directory }: Directions): Promise<FoundEnvironment> {
  try {
    const loaded = await loadEnvironment(config ?? (await findFile(directory)))
    return { loaded, diagnosis: { about: 'environment', state: 'ok', says: `${loaded.file} is valid` } }
  } catch (error) {
    const { code, message, hint } = asHoldfastError(error)
    const missing = code === 'configuration.missing'
    return {
      loaded: null,
      diagnosis: {
        about: 'environment',
        state: missing ? 'warn' : 'fail',
        says: message,
        mend: missing ? 'holdfast init' : hint,
      },
    }
  }
}

async function isRunning(dataDirectory: string): Promise<boolean> {
  try {
    const { pid } = await readRun(dataDirectory)
    await access(`/proc/${pid}`)
    return true
  } catch {
    return false
  }
}

async function lookAtPorts(
  loaded: LoadedEnvironment | null,
  dataDirectory: string,
): Promise<readonly Diagnosis[]> {
  if (await isRunning(dataDirectory)) {
    return [{ about: 'ports', state: 'ok', says: `Holdfast runs on ${dataDirectory} and has them` }]
  }
  const listeners = loaded?.environment.edge.listen ?? [{ host: '127.0.0.1', port: 8080 }]
  const control = loaded?.environment.control ?? { host: '127.0.0.1', port: 8400 }
  return Promise.all([
    ...listeners.map(({ host, port }) => lookAtPort(host, port, 'edge port')),
    lookAtPort(control.host, control.port, 'control port'),
  ])
}

async function lookAtMachine(dataDirectory: string): Promise<readonly Diagnosis[]> {
  const system = [diagnoseNode(process.versions.node), diagnoseSystem(process.platform)]
  if (process.platform !== 'linux') return system
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '')
  return [
    ...system,
    await lookAtUsers(dataDirectory),
    await lookAtControlGroups(),
    await lookAtSystemd(dataDirectory),
    diagnoseFiles(limits),
    diagnoseClock(await lookAtClock()),
  ]
}

const tones: Readonly<Record<Diagnosis['state'], Tone>> = { ok: 'good', warn: 'warning', fail: 'bad' }

function report(diagnoses: readonly Diagnosis[], paper: Paper): readonly string[] {
  const rows = diagnoses.flatMap(({ about, state, says, mend }) => [
    [paper.paint(tones[state], state), about, says],
    ...(mend === undefined || state === 'ok' ? [] : [['', '', `→ ${mend}`]]),
  ])
  return table([{ title: '' }, { title: '' }, { title: '' }], rows, { ...paper, width: 1000 }).slice(1)
}

/** `holdfast doctor`: what this machine permits. Resolves to the exit code: 1 when something would fail. */
export async function doctor({ voice, directions, clock }: Surroundings): Promise<number> {
  const { loaded, diagnosis } = await lookAtFile(directions)
  const dataDirectory = await findDataDirectory(directions)
  const diagnoses = [
    ...(await lookAtMachine(dataDirectory)),
    diagnosis,
    ...(await lookAtDisk(dataDirectory, clock)),
    ...(await lookAtPorts(loaded, dataDirectory)),
    diagnoseVersions(await findApart(dataDirectory)),
  ]
  const failed = diagnoses.filter(({ state }) => state === 'fail').length
  if (voice.json)
    voice.document({
      ok: failed === 0,
      checks: diagnoses.map(({ mend, ...rest }) => ({ ...rest, mend: mend ?? null })),
    })
  else voice.say(report(diagnoses, voice.paper))
  return failed === 0 ? 0 : 1
}
