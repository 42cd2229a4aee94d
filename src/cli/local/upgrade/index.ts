export { takeOverHere } from './take-over.ts'
export { upgrade } from './upgrade.ts'
