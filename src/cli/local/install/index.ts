export { install } from './install.ts'
export { uninstall } from './uninstall.ts'
export { findUnits, type FoundUnit } from './units.ts'
