/** What went wrong, as control says it (RFC 9457, with the house's code, kind, hint and path). */
export interface Problem {
  /** As `environment.unknown-service`; see the reference of errors. */
  readonly code: string
  readonly kind: 'user' | 'operational' | 'bug'
  readonly message: string
  readonly hint?: string | undefined
  /** The field at fault. */
  readonly path?: string | undefined
  /** HTTP status; 0 when there was no answer. */
  readonly status: number
  /** From `Retry-After`, when a limit refused. */
  readonly retryAfterMs?: number | undefined
}

/** The one error that the client throws. */
export class ClientError extends Error {
  readonly code: string
  readonly kind: Problem['kind']
  readonly hint: string | undefined
  readonly path: string | undefined
  readonly status: number
  readonly retryAfterMs: number | undefined

  constructor(problem: Problem, cause?: unknown) {
    super(problem.message, cause === undefined ? undefined : { cause })
    this.name = 'ClientError'
    this.code = problem.code
    this.kind = problem.kind
    this.hint = problem.hint
    this.path = problem.path
    this.status = problem.status
    this.retryAfterMs = problem.retryAfterMs
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function kindOf(value: unknown, status: number): Problem['kind'] {
  if (value === 'user' || value === 'operational' || value === 'bug') return value
  return status < 500 ? 'user' : 'operational'
}

/** Reads a problem from whatever came back; a stranger's page becomes `control.unreachable`. */
export function problemFrom(body: unknown, status: number, retryAfter: string | null): Problem {
  const fields = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
  const seconds = Number(retryAfter ?? NaN)
  return {
    code: textOf(fields['code']) ?? 'control.unreachable',
    kind: kindOf(fields['kind'], status),
    message:
      textOf(fields['detail']) ??
      textOf(fields['message']) ??
      `control answered with status ${status} and no reason`,
    hint: textOf(fields['hint']),
    path: textOf(fields['path']),
    status,
    retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : undefined,
  }
}

/** The error of a control that does not answer. */
export function unreachable(url: string, cause: unknown): ClientError {
  return new ClientError(
    {
      code: 'control.unreachable',
      kind: 'operational',
      message: `control does not answer at ${url === '' ? 'its address' : url}`,
      hint: 'is it running? start it with "holdfast up"',
      status: 0,
    },
    cause,
  )
}
