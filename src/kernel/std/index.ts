export { assert, unreachable } from './assert.ts'
export { closest } from './closest.ts'
export { steadyTime, systemClock, virtualClock, type Clock, type VirtualClock } from './clock.ts'
export {
  asHoldfastError,
  errorFromPlain,
  HoldfastError,
  plainError,
  systemCode,
  type ErrorKind,
  type ErrorParts,
  type PlainError,
} from './errors.ts'
export { contentHash } from './hash.ts'
export { uuidv7 } from './ids.ts'
export { canonicalJson, type Json, type JsonObject } from './json.ts'
export { lookUp } from './look-up.ts'
export { randomToken, seededRandom, systemRandom, type Random } from './random.ts'
export { formatDuration, parseDuration, parseSize, sayDuration, saySize } from './units.ts'
export type {
  AnswerKind,
  CommandForm,
  Danger,
  FactDeclaration,
  InputOf,
  OperationDeclaration,
  OutputOf,
  Permission,
  Schema,
  Severity,
} from './declaration.ts'
