/** An answer that the edge gives itself, as data. */
export interface Refusal {
  readonly status: number
  /** URI of the problem (RFC 9457); `about:blank`: the status says it all. */
  readonly type: string
  readonly title: string
  /** One or two sentences for the person or program that asked. */
  readonly detail: string
  /** Whole seconds; undefined: no use in waiting. */
  readonly retryAfterSeconds?: number | undefined
  /** Further members of the problem. */
  readonly members?: Readonly<Record<string, string | readonly string[]>> | undefined
}

const quotaExceeded = 'https://iana.org/assignments/http-problem-types#quota-exceeded'
const longestWaitSeconds = 366 * 86_400

/** Refusal by a limit: which one, and when it will admit again. */
export function limitRefusal(limit: string, rule: string, retryAfterMs: number): Refusal {
  const seconds = Math.min(longestWaitSeconds, Math.max(1, Math.ceil(retryAfterMs / 1000)))
  return {
    status: 429,
    type: quotaExceeded,
    title: 'Too many requests',
    detail: `The limit "${rule}" of ${limit} is used up. Try again in ${saySeconds(seconds)}.`,
    retryAfterSeconds: seconds,
    members: { 'violated-policies': [limit], limit, rule },
  }
}

function saySeconds(seconds: number): string {
  if (seconds < 120) return seconds === 1 ? 'a second' : `${seconds} seconds`
  const minutes = Math.ceil(seconds / 60)
  return minutes < 120 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`
}

/** Why the edge has no answer from the service. */
export type OriginFailure = 'no-healthy-target' | 'unreachable' | 'broke-off' | 'timed-out' | 'invalid-answer'

const originFailures: Readonly<
  Record<
    OriginFailure,
    { readonly status: number; readonly title: string; readonly says: (service: string) => string }
  >
> = {
  'no-healthy-target': {
    status: 503,
    title: 'Service unavailable',
    says: (service) => `No replica of "${service}" is healthy. Try again in a moment.`,
  },
  unreachable: {
    status: 502,
    title: 'Bad gateway',
    says: (service) => `"${service}" could not be reached.`,
  },
  'broke-off': {
    status: 502,
    title: 'Bad gateway',
    says: (service) => `"${service}" ended the connection without an answer.`,
  },
  'invalid-answer': {
    status: 502,
    title: 'Bad gateway',
    says: (service) => `"${service}" gave an answer that is no valid HTTP.`,
  },
  'timed-out': {
    status: 504,
    title: 'Gateway timeout',
    says: (service) => `"${service}" did not answer in time.`,
  },
}

/** Refusal because the service did not answer; says which and why. */
export function originRefusal(failure: OriginFailure, service: string): Refusal {
  const { status, title, says } = originFailures[failure]
  return {
    status,
    type: 'about:blank',
    title,
    detail: says(service),
    retryAfterSeconds: failure === 'no-healthy-target' ? 2 : undefined,
    members: { service, reason: failure },
  }
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad request',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Request timeout',
  413: 'Content too large',
  417: 'Expectation failed',
  431: 'Request header fields too large',
  501: 'Not implemented',
  505: 'HTTP version not supported',
  508: 'Loop detected',
}

/** Refusal of a request that cannot be served as it is. */
export function plainRefusal(status: number, detail: string): Refusal {
  return { status, type: 'about:blank', title: titles[status] ?? 'Refused', detail }
}
