export { createGate, type IdentityGate } from './gate.ts'
