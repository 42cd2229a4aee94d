export { commandOf, entryOf, keepKnown, takesOf, type By, type Command, type Part } from './command.ts'
export {
  costTooLarge,
  missingDimension,
  needsReservation,
  tooMany,
  tooManyTogether,
  unknownLimit,
} from './errors.ts'
export { Ledger, type Answers, type LedgerState, type Outcome } from './ledger.ts'
export { Meter, readTable, subjectOf, type MeterOverride } from './meter.ts'
