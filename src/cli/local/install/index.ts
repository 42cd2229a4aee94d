export { install } from './install.ts'
export { uninstall } from './uninstall.ts'
export { findUnits, hasSystemd, type FoundUnit } from './units.ts'
