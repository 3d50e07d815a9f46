/**
 * A permanent mark on a database, stored as a row in the table `database_marks`. Only SQLite databases can be `copied`.
 */
export type Mark = 'sample' | 'copied'

/** The reason why a database can't be used for sample data. Completes a sentence. */
export const NOT_FOR_SAMPLE_DATA =
  'it already has tables, but is not marked as sample data. Sample data needs a separate database: specify a new ' +
  'one, or move this one. Nothing was changed.'

/** Returns the reason why a database that has been copied to `target` is rejected. Completes a sentence. */
export const copiedText = (target: string): string =>
  `it was copied to ${target}, and changes made here would not be copied. Set DATABASE_URL to the copy. If the ` +
  "copy can't be opened, it is not complete yet: run npm run db:copy again. To keep using this database instead, " +
  'set ALLOW_COPIED_DATABASE=true. Nothing was changed.'
