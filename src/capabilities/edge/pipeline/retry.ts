/** Methods that may be sent twice (RFC 9110, 9.2.2). */
const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])

/** A try that failed before any part of an answer came. */
export interface FailedTry {
  readonly method: string
  /** Tries so far, this one included. */
  readonly tries: number
  /** Whether a byte of the request may have left. */
  readonly sent: boolean
  /** Whether the request has a body of which a part has been taken from the client. */
  readonly bodyTaken: boolean
  /** Whether time ran out: then the origin may still be at it. */
  readonly timedOut: boolean
}

/** Tries beyond the first. */
const mostRetries = 2

/** Whether a request may be tried again: only if nothing was sent, or if sending it twice does no harm. */
export function mayRetry(failed: FailedTry): boolean {
  if (failed.tries > mostRetries || failed.bodyTaken) return false
  return !failed.sent || (idempotent.has(failed.method) && !failed.timedOut)
}

/** Bounds retries to a share of the requests, so that an origin in trouble is not asked twice as much. */
export interface RetryBudget {
  /** Called for every request. */
  earn(): void
  /** Takes one retry; false when there is none. */
  spend(): boolean
}

/** Creates a budget of 10 % of the requests, with 10 to begin with and at most 10 saved up. */
export function createRetryBudget(): RetryBudget {
  const most = 10
  let saved = most
  return {
    earn: () => {
      if (saved < most) saved += 0.1
    },
    spend: () => {
      if (saved < 1) return false
      saved--
      return true
    },
  }
}
