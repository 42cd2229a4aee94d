export { OffenderBook } from './book.ts'
export { nameOffenders, type OffenderNames } from './names.ts'
export { subjectReader } from './subject.ts'
export { nearUnits, Watch, type Watched } from './watch.ts'
