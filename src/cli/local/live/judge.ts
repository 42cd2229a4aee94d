import { sayDuration } from '../../../kernel/std/index.ts'
import type { Answered, Listening, Observed, Start } from './observed.ts'

/** What one look at a service proved. */
export interface Finding {
  readonly about: 'start' | 'port' | 'loopback' | 'health' | 'drain' | 'end' | 'output' | 'restart'
  readonly state: 'ok' | 'wrong' | 'hint'
  /** What was seen. */
  readonly says: string
  /** How to mend it, or what to think of. */
  readonly mend?: string | undefined
}

type Finder = (observed: Observed) => readonly Finding[]

const ok = (about: Finding['about'], says: string): Finding => ({ about, state: 'ok', says })
const wrong = (about: Finding['about'], says: string, mend: string): Finding => ({
  about,
  state: 'wrong',
  says,
  mend,
})
const hint = (about: Finding['about'], says: string, mend: string): Finding => ({
  about,
  state: 'hint',
  says,
  mend,
})

const place = ({ address, port }: Listening): string => `${address}:${port}`

function sayEnd({ code, signal }: { readonly code: number | null; readonly signal: string | null }): string {
  return signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`
}

const judgeStart: Finder = ({ first, expected }) => {
  if (first.ended !== null) {
    const says = `it ended by itself with ${sayEnd(first.ended)}`
    return [
      wrong('start', says, 'see what it wrote below; what it needs of other services has to run already'),
    ]
  }
  if (first.wellAfterMs === null) {
    const says = `it was not well within ${sayDuration(expected.startTimeoutMs)}: ${first.lastIll}`
    return [wrong('start', says, 'mend what it wrote below, or give it more time with "startTimeout"')]
  }
  return [ok('start', `it was well after ${sayDuration(first.wellAfterMs)}`)]
}

const onPort = ({ listening, port }: Start): boolean | null =>
  listening === null ? null : listening.some((each) => each.port === port)

function judgeTold({ first, expected }: Observed): Finding {
  const elsewhere = (first.listening ?? []).filter(({ port }) => port !== first.port)
  const where = elsewhere.length === 0 ? 'on no port at all' : `on ${elsewhere.map(place).join(' and ')}`
  const reads = expected.fixedPort === null ? 'PORT said' : 'the file said'
  if (onPort(first) === true) return ok('port', `it listens on ${first.port}, as ${reads}`)
  return expected.fixedPort === null
    ? wrong(
        'port',
        `it listens ${where}; PORT said ${first.port}`,
        'listen on the variable PORT, or name its "port" in the file',
      )
    : wrong(
        'port',
        `it listens ${where}; the file said ${first.port}`,
        'name the right "port", or leave it out and listen on PORT',
      )
}

const judgePort: Finder = (observed) => {
  const { first, other, expected } = observed
  if (!expected.listens || first.ended !== null) return []
  if (first.listening === null) {
    return [hint('port', 'this machine does not tell who listens where', 'look on a Linux machine, too')]
  }
  const told = judgeTold(observed)
  if (told.state !== 'ok' || other === null) return [told]
  const obeys = onPort(other) === true
  return obeys
    ? [ok('port', `told ${first.port} it listens there, and told ${other.port} it listens there`)]
    : [
        told,
        wrong(
          'port',
          `told ${other.port} it does not listen there`,
          'listen on the variable PORT, whatever it says',
        ),
      ]
}

const judgeLoopback: Finder = ({ first: { listening, port }, expected }) => {
  if (listening === null || listening.length === 0) return []
  const beyond = listening.filter(({ loopback }) => !loopback)
  const more = listening.filter((each) => each.loopback && each.port !== port)
  const extra =
    more.length > 0 && expected.listens && listening.some((each) => each.port === port)
      ? [
          hint(
            'port',
            `it listens on ${more.map(place).join(' and ')} as well`,
            'requests come to PORT only; see that nobody else needs it',
          ),
        ]
      : []
  if (beyond.length === 0) return [ok('loopback', 'it listens on loopback only'), ...extra]
  const says = `it listens on ${beyond.map(place).join(' and ')}, where no limit protects it`
  return expected.mayExpose
    ? [hint('loopback', says, 'the file waives it for a while: "mayExpose"'), ...extra]
    : [wrong('loopback', says, 'listen on the variable HOST (127.0.0.1); it is stopped otherwise'), ...extra]
}

const judgeHealth: Finder = ({ first, nonsense, expected }) => {
  if (!expected.listens || first.wellAfterMs === null) return []
  if (expected.health === null) {
    return [
      hint(
        'health',
        'it has no health check: a TCP connection counts as well',
        'name a path that says 503 when it cannot work: "health"',
      ),
    ]
  }
  if (first.wavered !== null) {
    const says = `${expected.health} said that it was well, and then: ${first.wavered}`
    return [wrong('health', says, 'answer 2xx only once it can serve, and 503 until then')]
  }
  if (nonsense !== null && 'status' in nonsense && nonsense.status < 400) {
    const says = `${expected.health} answers 2xx or 3xx, but so does a path that it cannot know (${nonsense.status})`
    return [
      hint(
        'health',
        says,
        'a server that says yes to everything proves nothing: let the path look at what it needs',
      ),
    ]
  }
  return [ok('health', `${expected.health} answers 2xx or 3xx`)]
}

function judgeInFlight(what: string, answered: Answered | null): readonly Finding[] {
  if (answered === null) return []
  return 'status' in answered
    ? [ok('drain', `${what} at SIGTERM was answered (${answered.status})`)]
    : [
        wrong(
          'drain',
          `${what} at SIGTERM was dropped: ${answered.failed}`,
          'at SIGTERM take no new connections, answer what is there, then exit',
        ),
      ]
}

function judgeNewcomer(answered: Answered | null): readonly Finding[] {
  if (answered === null) return []
  return 'failed' in answered
    ? [ok('drain', 'a new connection after SIGTERM was refused')]
    : [
        wrong(
          'drain',
          `a new connection after SIGTERM was answered (${answered.status})`,
          'close what listens at SIGTERM, so that nobody begins what cannot end',
        ),
      ]
}

const judgeDrain: Finder = ({ stop, expected }) => [
  ...judgeInFlight('a request that was half sent', stop.held),
  ...judgeInFlight(`a request for ${expected.slowPath ?? ''} that was being worked on`, stop.slow),
  ...(expected.slowPath !== null && stop.slow === null && stop.held !== null
    ? [
        hint(
          'drain',
          `${expected.slowPath} was answered before SIGTERM`,
          'name a path that takes at least a second',
        ),
      ]
    : []),
  ...judgeNewcomer(stop.newcomer),
]

const judgeEnd: Finder = ({ first, stop, expected }) => {
  if (first.ended !== null) return []
  const { ended, tookMs, left } = stop
  if (ended === null) {
    const says = `it did not end within ${sayDuration(expected.stopTimeoutMs)} of SIGTERM and was killed`
    return [
      wrong(
        'end',
        says,
        'listen to SIGTERM; close idle connections; or give it more time with "stopTimeout"',
      ),
    ]
  }
  const clean = ended.signal === 'SIGTERM' || ended.code === 0 || ended.code === 143
  const orphans =
    left === 0
      ? []
      : [
          wrong(
            'end',
            `it left ${left} of its processes behind`,
            'hand SIGTERM on to what it starts, or start it with "exec"',
          ),
        ]
  return clean
    ? [ok('end', `it ended ${sayDuration(tookMs)} after SIGTERM with ${sayEnd(ended)}`), ...orphans]
    : [
        wrong(
          'end',
          `it ended after SIGTERM with ${sayEnd(ended)}`,
          'exit with code 0 when you were asked to end',
        ),
        ...orphans,
      ]
}

const judgeOutput: Finder = ({ output: { bytes, logs, open } }) => {
  const files =
    logs.length === 0
      ? []
      : [
          wrong(
            'output',
            `it wrote to ${logs.join(', ')}`,
            'write logs to standard output: Holdfast keeps and rotates them',
          ),
        ]
  const held =
    open === null || open.length === 0
      ? []
      : [
          hint(
            'output',
            `it holds ${open.join(', ')} open for writing`,
            'files below its directory are no part of a new version: keep data elsewhere',
          ),
        ]
  if (logs.length > 0) return [...files, ...held]
  return bytes === 0
    ? [
        hint(
          'output',
          'it wrote nothing to standard output',
          'say at least where it listens; logs go there and not to files',
        ),
        ...held,
      ]
    : [ok('output', `it wrote to standard output (${bytes} bytes) and to no log file`), ...held]
}

const judgeRestart: Finder = ({ again, first }) => {
  if (again === null) return []
  if (again.wellAfterMs !== null)
    return [ok('restart', `it started again at once${first.port === null ? '' : ' on the same port'}`)]
  const why = again.ended === null ? again.lastIll : `it ended with ${sayEnd(again.ended)}`
  return [
    wrong(
      'restart',
      `it did not start again at once on the same port: ${why}`,
      'leave nothing behind that a second start trips over; set SO_REUSEADDR',
    ),
  ]
}

const finders: readonly Finder[] = [
  judgeStart,
  judgePort,
  judgeLoopback,
  judgeHealth,
  judgeDrain,
  judgeEnd,
  judgeOutput,
  judgeRestart,
]

/** What was proved by what was seen, in the order in which a service lives. Pure. */
export function judge(observed: Observed): readonly Finding[] {
  return finders.flatMap((finder) => finder(observed))
}
