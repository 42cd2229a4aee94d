export { commandOf, entryOf, type By, type Command } from './command.ts'
export { costTooLarge, missingDimension, needsReservation, tooMany, unknownLimit } from './errors.ts'
export { Ledger, type Answers, type LedgerState, type Outcome } from './ledger.ts'
export { Meter, readTable, subjectOf, type MeterOverride } from './meter.ts'
