export { targetChooser, type ChooseTarget, type TargetLook } from './choose-target.ts'
export { isLoop, mayGoUnread, originFields, ownAuthority, schemeOf } from './forward.ts'
export { isFault, readHead, type Fault, type RequestHead } from './head.ts'
export {
  cookieOf,
  createSubjectBook,
  createTrust,
  directClient,
  faultOfDimension,
  fieldOf,
  isPrivate,
  keyReader,
  nobody,
  proxiedClient,
  rungOf,
  subjectReader,
  type Client,
  type Countable,
  type Identity,
  type SubjectBook,
  type Trust,
} from './keys/index.ts'
export { hostName, secureLocation } from './redirect.ts'
export {
  banRefusal,
  formFor,
  limitRefusals,
  originRefusal,
  plainRefusal,
  policiesField,
  policyNames,
  quotedPolicy,
  rateLimitFields,
  render,
  type FieldSyntax,
  type OriginFailure,
  type PolicyStanding,
  type Refusal,
  type Violation,
} from './refusals/index.ts'
export { reasonPhrase, responseFields, statusClass } from './response-fields.ts'
export { createRetryBudget, mayRetry, type RetryBudget } from './retry.ts'
export { createRouter, type Router } from './router.ts'
export { normaliseTarget, type Target } from './target.ts'
