/**
 * Whose turn it is when something fails: `user` must change what they asked for, `operational` means the
 * outside world (disk, network, another program) failed and trying again may help, `bug` is ours.
 */
export type ErrorKind = 'user' | 'operational' | 'bug'

/** What an error is made of. `code` is `<room>.<what-went-wrong>` and is declared in `contracts/errors.ts`. */
export interface ErrorParts {
  readonly code: string
  readonly kind: ErrorKind
  /** One sentence: what is wrong, naming the thing. */
  readonly message: string
  /** One sentence: how to mend it. */
  readonly hint?: string | undefined
  /** Path of the key or field at fault, as `edge.routes./login`. */
  readonly path?: string | undefined
  readonly cause?: unknown
}

/** An error as it crosses a door: plain data, without stack or cause. */
export interface PlainError {
  readonly code: string
  readonly kind: ErrorKind
  readonly message: string
  readonly hint?: string | undefined
  readonly path?: string | undefined
}

/** The one error class of the house. A refusal by a limit is not an error but a value. */
export class HoldfastError extends Error {
  readonly code: string
  readonly kind: ErrorKind
  readonly hint: string | undefined
  readonly path: string | undefined

  constructor(parts: ErrorParts) {
    super(parts.message, parts.cause === undefined ? undefined : { cause: parts.cause })
    this.name = 'HoldfastError'
    this.code = parts.code
    this.kind = parts.kind
    this.hint = parts.hint
    this.path = parts.path
  }
}

/** Turns anything thrown into a HoldfastError; a stranger becomes a `bug`, its text kept as the message. */
export function asHoldfastError(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new HoldfastError({ code: 'kernel.unexpected', kind: 'bug', message, cause: error })
}

/** The part of an error that may leave the process. */
export function plainError(error: unknown): PlainError {
  const { code, kind, message, hint, path } = asHoldfastError(error)
  return {
    code,
    kind,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(path === undefined ? {} : { path }),
  }
}

/** The inverse of `plainError`, for clients. */
export function errorFromPlain(plain: PlainError): HoldfastError {
  return new HoldfastError(plain)
}

/** The system's code of an error (`ENOENT`, `EADDRINUSE`), or undefined. */
export function systemCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : undefined
}
