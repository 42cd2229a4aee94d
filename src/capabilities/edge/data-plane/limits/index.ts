export { admit, admitOrWait, admitted, type Admission, type Patience } from './admit.ts'
export { admitShared } from './admit-shared.ts'
export { createErrorBook, type ErrorBook } from './error-book.ts'
export { createLeases, type Lease, type Leases } from './leases.ts'
export { createLookAlikes, type LookAlikes } from './look-alikes.ts'
export {
  createBounds,
  policiesOf,
  prepareLimits,
  type Bounds,
  type PreparedLimit,
} from './prepared-limits.ts'
export { prepare, type Prepared, type PreparedRoute } from './prepared.ts'
export { SharedKeeper } from './shared-limits.ts'
export { refusalBy, standingFields, type Looking } from './standing.ts'
