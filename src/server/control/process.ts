import { mkdir, rename, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { houseProtocol } from '../../contracts/socket-door.ts'
import type { Capability, Context, Log, OperationBinding } from '../../kernel/capability/index.ts'
import { openSeries, type SeriesStore } from '../../kernel/series/index.ts'
import {
  plainError,
  systemClock,
  type HoldfastError,
  systemRandom,
  type Clock,
  type OperationDeclaration,
  type Random,
} from '../../kernel/std/index.ts'
import { openTimeline, type Retention, type Timeline } from '../../kernel/timeline/index.ts'
import { ensureRootToken, serviceToken, type People } from './access/index.ts'
import { createMetrics, openDoors, type Doors, type DoorSettings, type Metrics } from './doors/index.ts'
import { forgetFailedStart } from './failed-start.ts'
import { createHouse, type House, type HouseOptions } from './house.ts'
import { watchStorage } from './storage-notes.ts'

/** The token that replicas of a service come in with. */
export type TokenOf = (service: string) => string

/** What control runs: the capabilities of an environment and what its file says about control. */
export interface Composed {
  readonly capabilities: (context: Context, tokenOf: TokenOf) => readonly Capability[]
  /** Services whose replicas may come in; default: none. */
  readonly services?: readonly string[]
  readonly bindings?: (context: Context) => readonly OperationBinding[]
  readonly people: People
  readonly retention: Retention
  readonly settings: DoorSettings
  /** Default: every operation of the contracts. */
  readonly catalogue?: readonly OperationDeclaration[]
}

/** How to run control. */
export interface ControlOptions {
  /** Absolute; exists. */
  readonly dataDirectory: string
  readonly version: string
  readonly composed: Composed
  readonly log: Log
  readonly clock?: Clock
  readonly random?: Random
  readonly consoleDirectory?: string
}

/** Control, running. */
export interface Control {
  readonly house: House
  /** As `http://127.0.0.1:8400`. */
  readonly url: string
  /** Stops doors, jobs and capabilities, writes checkpoints, closes the stores. */
  stop(): Promise<void>
}

const runFile = (dataDirectory: string): string => join(dataDirectory, 'run', 'control.json')

async function announceUrl(dataDirectory: string, url: string): Promise<void> {
  const path = runFile(dataDirectory)
  await mkdir(join(dataDirectory, 'run'), { recursive: true, mode: 0o700 })
  await writeFile(`${path}.new`, JSON.stringify({ pid: process.pid, url, protocol: houseProtocol }), {
    mode: 0o600,
  })
  await rename(`${path}.new`, path)
}

interface Stores {
  readonly timeline: Timeline
  readonly series: SeriesStore
  readonly notes: () => readonly string[]
  readonly close: () => Promise<void>
}

async function openStores(options: ControlOptions): Promise<Stores> {
  const { dataDirectory, log, clock = systemClock, random = systemRandom } = options
  const timeline = await openTimeline({ path: join(dataDirectory, 'timeline.db'), clock, random })
  const storage = watchStorage(dataDirectory, clock)
  const onTrouble = (error: HoldfastError): void => {
    log.error({ error: error.message }, 'measures were not written')
    storage.failed('series', error)
  }
  const path = join(dataDirectory, 'series.db')
  const series = await openSeries({ path, clock, onTrouble }).catch(async (error: unknown) => {
    storage.stop()
    await timeline.close()
    throw error
  })
  const close = async (): Promise<void> => {
    storage.stop()
    await series.close()
    await timeline.close()
  }
  return { timeline: storage.watch(timeline), series, notes: () => storage.notes(), close }
}

interface Opened {
  readonly options: ControlOptions
  readonly house: House
  readonly metrics: Metrics
}

/** Opens the stores and builds the house on them; closes the stores again when it cannot stand. */
async function openHouse(
  options: ControlOptions,
  url: () => string,
): Promise<Opened & { readonly closeStores: () => Promise<void> }> {
  const { dataDirectory, composed, log, clock = systemClock, random = systemRandom } = options
  const rootToken = await ensureRootToken(dataDirectory, random)
  const { timeline, series, notes, close: closeStores } = await openStores(options)
  const shelf: { house?: House } = {}
  const metrics = createMetrics(() => shelf.house?.operations.map(({ name }) => name) ?? [])
  const observe: HouseOptions['observe'] = (call) => metrics.observe(call)
  const { bindings, people, retention, catalogue, services = [] } = composed
  const tokenOf: TokenOf = (service) => serviceToken(rootToken, service)
  const capabilities = (context: Context): readonly Capability[] => composed.capabilities(context, tokenOf)
  const limitsFile = join(dataDirectory, 'control.limits')
  const parts = {
    timeline,
    series,
    notes,
    clock,
    random,
    log,
    rootToken,
    services,
    observe,
    consoleUrl: url,
    limitsFile,
  }
  const optional = {
    ...(bindings === undefined ? {} : { bindings }),
    ...(catalogue === undefined ? {} : { catalogue }),
  }
  try {
    const house = await createHouse({ ...parts, ...optional, capabilities, people, retention })
    shelf.house = house
    return { options, house, metrics, closeStores }
  } catch (error) {
    await closeStores()
    throw error
  }
}

function openTo({ options, house, metrics }: Opened): Promise<Doors> {
  const { version, consoleDirectory, composed } = options
  const directory = consoleDirectory === undefined ? {} : { consoleDirectory }
  return openDoors({ house, metrics, version, settings: composed.settings, ...directory })
}

/**
 * Runs control in this process. Errors: those of the timeline and the series at opening, of the doors, and of a
 * capability's start; nothing stays open then.
 */
export async function startControl(options: ControlOptions): Promise<Control> {
  const place = { url: '' }
  const opened = await openHouse(options, () => place.url)
  const end = async (): Promise<void> => {
    await opened.house.stop()
    await opened.closeStores()
  }
  const doors = await openTo(opened).catch(async (error: unknown) => {
    await end()
    throw error
  })
  place.url = doors.url
  await announceUrl(options.dataDirectory, doors.url).catch((error: unknown) => {
    // On a full disk an earlier control's word has to do: the address is the same.
    options.log.warn({ error: plainError(error).message }, 'run/control.json could not be written')
  })
  await forgetFailedStart(options.dataDirectory)
  options.log.info({ url: doors.url, version: options.version }, 'control serves')
  return {
    house: opened.house,
    url: doors.url,
    stop: async () => {
      await doors.close()
      await end()
      await unlink(runFile(options.dataDirectory)).catch((error: unknown) => {
        options.log.warn({ error: plainError(error).message }, 'run/control.json was gone already')
      })
    },
  }
}
