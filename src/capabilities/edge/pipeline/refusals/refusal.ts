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
  readonly members?: Readonly<Record<string, string | number | readonly string[]>> | undefined
  /** Further header fields: name, value, name, value ... */
  readonly fields?: readonly string[] | undefined
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
