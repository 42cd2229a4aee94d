export { OffenderBook } from './book.ts'
export { nameOffenders, type OffenderNames } from './names.ts'
export { nearUnits, Watch, type Watched } from './watch.ts'
