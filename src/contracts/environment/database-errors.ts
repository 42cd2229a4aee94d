/** Errors of databases, sorted: what follows `environment.database-`, HTTP status, exit code, and what it means. */
export const databaseErrors = [
  ['image-unusable', 409, 78, 'The image of a database is not there, or is none of it.'],
  ['record-unreadable', 500, 78, 'The record of a database cannot be read.'],
  ['refuses', 503, 69, 'A database lets no users or databases be made.'],
] as const
