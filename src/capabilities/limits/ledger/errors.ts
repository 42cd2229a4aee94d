import { closest, HoldfastError } from '../../../kernel/std/index.ts'
import type { AppLimit } from '../rules.ts'
import { mostTakes, mostWindowCost } from '../../../kernel/limit/index.ts'

/** `limits.unknown-limit`: it names those that there are. */
export function unknownLimit(name: string, known: readonly string[]): HoldfastError {
  const meant = closest(name, known)
  const these = known.length === 0 ? 'it names none' : `it names ${known.slice(0, 20).join(', ')}`
  return new HoldfastError({
    code: 'limits.unknown-limit',
    kind: 'user',
    message: `the environment file names no limit "${name.slice(0, 100)}"`,
    hint: meant === undefined ? these : `did you mean "${meant}"?`,
    path: 'limit',
  })
}

/** `limits.missing-dimension`: it names what the limit counts by. */
export function missingDimension(limit: AppLimit, missing: string): HoldfastError {
  return new HoldfastError({
    code: 'limits.missing-dimension',
    kind: 'user',
    message: `a take from ${limit.name} has to say which ${missing}`,
    hint: `it counts by ${limit.dimensions.join(', ')}: send by: { ${missing}: "..." }`,
    path: `by.${missing}`,
  })
}

/** `limits.needs-reservation`: nothing would ever give the take back. */
export function needsReservation(limit: AppLimit): HoldfastError {
  return new HoldfastError({
    code: 'limits.needs-reservation',
    kind: 'user',
    message: `${limit.name} counts what goes on at once, so a take needs an end`,
    hint: 'use limits.reserve, and limits.commit or limits.cancel at the end',
    path: 'limit',
  })
}

/** `limits.too-many-together`: so many accounts are not locked at once. */
export function tooManyTogether(rules: number): HoldfastError {
  return new HoldfastError({
    code: 'limits.too-many-together',
    kind: 'user',
    message: `takes from ${rules} rules cannot be one step`,
    hint: `at most ${mostTakes}, those of all their limits together`,
    path: 'takes',
  })
}

/** `limits.cost-too-large`: an exact window remembers every unit. */
export function costTooLarge(limit: AppLimit): HoldfastError {
  return new HoldfastError({
    code: 'limits.cost-too-large',
    kind: 'user',
    message: `${limit.name} has an exact window, which gives at most ${mostWindowCost} units at once`,
    hint: `take ${mostWindowCost} or less, or write the limit as a rate`,
    path: 'cost',
  })
}

/** `limits.unknown-reservation`: never made, or ended. */
export function unknownReservation(id: string): HoldfastError {
  return new HoldfastError({
    code: 'limits.unknown-reservation',
    kind: 'user',
    message: `there is no open reservation "${id}"`,
    hint: 'its lease may have ended; a longer leaseMs or limits.renew keeps it',
    path: 'id',
  })
}

/** `limits.reservation-exists`: the id is in use for something else. */
export function reservationExists(id: string): HoldfastError {
  return new HoldfastError({
    code: 'limits.reservation-exists',
    kind: 'user',
    message: `the reservation "${id}" is for another limit or subject`,
    hint: 'give each reservation an id of its own',
    path: 'id',
  })
}

/** `limits.too-many`: reservations, bans or overrides. */
export function tooMany(what: string, most: number): HoldfastError {
  return new HoldfastError({
    code: 'limits.too-many',
    kind: 'operational',
    message: `there are ${most} ${what} already, which is as many as there may be`,
    hint: 'end some of them, or make them shorter',
  })
}
