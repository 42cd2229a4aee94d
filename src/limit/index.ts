export { HoldfastError } from '../kernel/std/index.ts'
export { createLimits } from './limits.ts'
export type {
  By,
  ControlAddress,
  Explanation,
  Held,
  Limits,
  LimitSetting,
  LimitSettings,
  LimitsOptions,
  Log,
  NamedTake,
  Refusal,
  Reservation,
  ReserveOptions,
  RuleFacts,
  StandingOfRule,
  TakeOptions,
  Verdict,
  WhenAway,
} from './port.ts'
export { uncoveredInOpenApi, uncoveredRoutes, watchFastify, type CoverOptions } from './routes/index.ts'
