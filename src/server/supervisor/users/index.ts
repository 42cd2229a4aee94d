export { idRange } from './identity.ts'
export { openUsers, whyNoUsers, type Users, type UsersParts } from './users.ts'
