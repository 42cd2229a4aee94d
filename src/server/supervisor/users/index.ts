export { openUsers, whyNoUsers, type Users, type UsersParts } from './users.ts'
