export { createDatabases, type Databases } from './databases.ts'
export { bindDatabases } from './operations.ts'
export { findDatabaseTroubles, type DatabaseGround } from './troubles.ts'
