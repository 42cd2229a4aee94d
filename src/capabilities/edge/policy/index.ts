export { compilePolicy, rulesHash, type PolicyGround } from './compile.ts'
export { findBroadTrust, type PolicyFinding } from './trust.ts'
export { findExpiredWaivers } from './waivers.ts'
