export { OffenderBook } from './book.ts'
export { nameOffenders, nameSenders, type OffenderNames } from './names.ts'
export { nearUnits, Watch, type Watched } from './watch.ts'
