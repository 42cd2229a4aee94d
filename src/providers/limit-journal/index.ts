export { schemaVersion as journalVersion } from './file.ts'
export { memoryJournal } from './memory.ts'
export { sqliteJournal, type JournalOptions } from './sqlite.ts'
