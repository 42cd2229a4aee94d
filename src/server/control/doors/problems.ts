import { STATUS_CODES } from 'node:http'
import { errorCatalogue } from '../../../contracts/index.ts'
import { asHoldfastError, HoldfastError, type JsonObject } from '../../../kernel/std/index.ts'
import type { Refusal } from '../stages/index.ts'

const statuses = new Map(errorCatalogue.map(({ code, status }) => [code, status]))

/** HTTP status of an error code; 500 for one that is not in the catalogue. */
export function statusOf(code: string): number {
  return statuses.get(code) ?? 500
}

/** A problem as it leaves the house: RFC 9457, with `code`, `kind`, `hint` and `path` beside the standard members. */
export function problemOf(error: unknown): JsonObject & { readonly status: number } {
  const { code, kind, message, hint, path } = asHoldfastError(error)
  const status = statusOf(code)
  return {
    type: `urn:holdfast:error:${code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    code,
    kind,
    detail: message,
    ...(hint === undefined ? {} : { hint }),
    ...(path === undefined ? {} : { path }),
  }
}

/** A refusal by a limit, in the words of an error. */
export function refusalError({ limit, rule, retryAfterMs }: Refusal): HoldfastError {
  return new HoldfastError({
    code: 'limit.refused',
    kind: 'user',
    message: `the limit ${limit} (${rule}) refused the call`,
    hint: `try again in ${Math.max(1, Math.ceil(retryAfterMs / 1000))} s`,
  })
}

/** Value of `Retry-After` (RFC 9110, section 10.2.3): whole seconds, at least 1. */
export function retryAfter({ retryAfterMs }: Refusal): string {
  return String(Math.max(1, Math.ceil(retryAfterMs / 1000)))
}

const bodyErrors: Readonly<Record<string, { readonly code: string; readonly message: string }>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'control.unsupported-media-type',
    message: 'control reads application/json only',
  },
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: 'control.body-too-large',
    message: 'the body is larger than 1 MiB',
  },
}

/** What Fastify threw while it read a request, in our words; anything else as it is. */
export function ownError(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error
  const { code, statusCode } = error as { readonly code?: unknown; readonly statusCode?: unknown }
  const known = typeof code === 'string' && Object.hasOwn(bodyErrors, code) ? bodyErrors[code] : undefined
  if (known !== undefined) return new HoldfastError({ ...known, kind: 'user', cause: error })
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new HoldfastError({
      code: 'operations.invalid-input',
      kind: 'user',
      message: `the request cannot be read: ${(error as Error).message}`,
      hint: 'send an object as JSON',
      cause: error,
    })
  }
  return asHoldfastError(error)
}
