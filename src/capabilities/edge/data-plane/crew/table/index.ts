export { beginLimits, type Beginning, type KeptTable } from './begin.ts'
export { createTableKeeper, type TableKeeper } from './keeper.ts'
export { mostTableBytes } from './messages.ts'
