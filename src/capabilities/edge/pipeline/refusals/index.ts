export { banRefusal, limitRefusals, type Violation } from './limit-refusal.ts'
export {
  policiesField,
  policyNames,
  quotedPolicy,
  rateLimitFields,
  type FieldSyntax,
  type PolicyStanding,
} from './rate-limit-fields.ts'
export { originRefusal, plainRefusal, type OriginFailure, type Refusal } from './refusal.ts'
export { formFor, render } from './render.ts'
