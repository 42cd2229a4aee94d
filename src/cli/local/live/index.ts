import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { closest, HoldfastError, randomToken, systemRandom, lookUp } from '../../../kernel/std/index.ts'
import {
  definedVariables,
  findFile,
  findTroubles,
  loadEnvironment,
  problemError,
  specAlone,
  type AloneSpec,
  type AloneSurroundings,
  type LoadedEnvironment,
} from '../../../server/composition/index.ts'
import { findFreePort, isFree } from '../../../server/supervisor/machine/free-port.ts'
import type { Surroundings } from '../../commands/command.ts'
import { harmless, type Paper, type Tone } from '../../output/index.ts'
import { createAlone } from './alone.ts'
import { judge, type Finding } from './judge.ts'
import { look } from './look.ts'
import type { Expected } from './observed.ts'

/** What `holdfast check <service> --live` was asked for. */
export interface LiveCheck {
  readonly service: string
  /** Path of a request that takes at least a second. */
  readonly slowPath: string | undefined
}

type Configured = LoadedEnvironment['environment']['services'][string]

function unknownService(service: string, { environment: { services } }: LoadedEnvironment): HoldfastError {
  const names = Object.keys(services)
  const meant = closest(service, names)
  return new HoldfastError({
    code: 'environment.unknown-service',
    kind: 'user',
    message: `there is no service "${service}"`,
    hint: meant === undefined ? `the services are ${names.join(', ')}` : `did you mean "${meant}"?`,
    path: 'service',
  })
}

interface Chosen {
  readonly spec: AloneSpec
  readonly config: Configured
}

function choose(loaded: LoadedEnvironment, service: string, surroundings: AloneSurroundings): Chosen {
  const { services } = loaded.environment
  const config = lookUp(services, service)
  if (config === undefined) throw unknownService(service, loaded)
  const spec = specAlone(loaded, service, surroundings)
  if (spec === null) {
    throw new HoldfastError({
      code: 'environment.not-ours',
      kind: 'user',
      message: `Holdfast does not run "${service}": it only sends requests to ${config.address ?? ''}`,
      hint: 'check a service that has a "command"',
    })
  }
  return { spec, config }
}

function noPort(message: string, hint: string): HoldfastError {
  return new HoldfastError({
    code: 'supervisor.port-in-use',
    kind: 'operational',
    message,
    hint,
    path: 'port',
  })
}

async function choosePorts(service: string, { listens, port }: Configured) {
  if (!listens) return { port: null, otherPort: null }
  if (port !== undefined) {
    if (await isFree(port)) return { port, otherPort: null }
    throw noPort(
      `port ${port}, on which "${service}" insists, is in use`,
      'stop what listens there, perhaps with "holdfast down"',
    )
  }
  // Not the port of last time: two checks at once would both find it free.
  const place = randomToken(systemRandom)
  const first = await findFreePort(place, new Set())
  const second = first === undefined ? undefined : await findFreePort(`${place}/other`, new Set([first]))
  if (first === undefined || second === undefined)
    throw noPort('no free port was found', 'stop something that listens')
  return { port: first, otherPort: second }
}

function expectedOf(config: Configured, slowPath: string | undefined): Expected {
  return {
    listens: config.listens,
    fixedPort: config.port ?? null,
    health: config.health ?? null,
    startTimeoutMs: config.startTimeout,
    stopTimeoutMs: config.stopTimeout,
    mayExpose: config.mayExpose !== undefined,
    slowPath: slowPath ?? null,
  }
}

const tones: Readonly<Record<Finding['state'], Tone>> = { ok: 'good', wrong: 'bad', hint: 'warning' }

/** A line for each finding, with how to mend it below. */
function findingLines(findings: readonly Finding[], paper: Paper): readonly string[] {
  return findings.flatMap(({ about, state, says, mend }) => [
    `${paper.paint(tones[state], state.padEnd(5))}  ${about.padEnd(8)}  ${says}`,
    ...(mend === undefined ? [] : [`${' '.repeat(17)}→ ${mend}`]),
  ])
}

function report(
  { service, findings, lines }: { service: string; findings: readonly Finding[]; lines: readonly string[] },
  paper: Paper,
): readonly string[] {
  const wrongs = findings.filter(({ state }) => state === 'wrong').length
  const failed = findings.some(({ about, state }) => about === 'start' && state === 'wrong')
  return [
    paper.paint(
      'dim',
      `${service} alone: no edge, no limits, no control; what it needs of others has to run by itself`,
    ),
    ...findingLines(findings, paper),
    ...(failed ? ['', 'The last that it wrote:', ...lines.map((line) => `  ${harmless(line)}`)] : []),
    '',
    wrongs === 0
      ? paper.paint('good', `${service} keeps the rules of the house`)
      : paper.paint('bad', `${wrongs === 1 ? 'one thing is' : `${wrongs} things are`} wrong with ${service}`),
  ]
}

interface Scene {
  readonly loaded: LoadedEnvironment
  readonly asked: LiveCheck
  readonly surroundings: Surroundings
}

/** Looks at a service that writes its log, and to stand-ins for its volumes, in an empty directory. */
async function observeIn(place: string, { loaded, asked, surroundings }: Scene) {
  const { service, slowPath } = asked
  const { variables, voice, signal } = surroundings
  const hostVariables = definedVariables(variables)
  const { spec, config } = choose(loaded, service, { hostVariables, standIns: place })
  const troubles = await findTroubles(loaded, variables)
  const own = troubles.filter(({ path }) => path.startsWith(`services.${service}.`))
  if (own.length > 0) throw problemError(own)
  for (const volume of config.volumes) await mkdir(join(place, 'volumes', volume), { recursive: true })
  const ports = await choosePorts(service, config)
  const alone = createAlone(spec, randomToken(systemRandom), place)
  try {
    const expected = expectedOf(config, slowPath)
    const says = (doing: string): void => voice.redraw(`${service}: ${doing}`)
    const observed = await look({ expected, alone, directory: spec.directory, ...ports, signal, says })
    return { findings: judge(observed), lines: alone.lastLines(10) }
  } finally {
    voice.redraw('')
    await alone.killAll()
  }
}

async function observe(scene: Scene) {
  const place = await mkdtemp(join(tmpdir(), 'holdfast-check-'))
  try {
    return await observeIn(place, scene)
  } finally {
    await rm(place, { recursive: true, force: true })
  }
}

/**
 * `holdfast check <service> --live`: starts a service alone and proves how it behaves. Resolves to the exit code: 1 when
 * something is wrong. Errors: those of reading the file, `environment.unknown-service`, `environment.not-ours`,
 * `supervisor.port-in-use`.
 */
export async function checkLive(asked: LiveCheck, surroundings: Surroundings): Promise<number> {
  const { directions, voice } = surroundings
  const { directory, config } = directions
  const file = config === undefined ? await findFile(directory) : resolve(directory, config)
  const { findings, lines } = await observe({ loaded: await loadEnvironment(file), asked, surroundings })
  const isRight = findings.every(({ state }) => state !== 'wrong')
  if (voice.json) {
    const said = findings.map(({ mend, ...finding }) => ({ ...finding, mend: mend ?? null }))
    voice.document({ ok: isRight, service: asked.service, findings: said })
  } else voice.say(report({ service: asked.service, findings, lines }, voice.paper))
  return isRight ? 0 : 1
}
