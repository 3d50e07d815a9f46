/**
 * A permanent mark on a database, stored as a row in the table `database_marks`. Only SQLite databases can be `copied`.
 */
export type Mark = 'sample' | 'copied'

/** The reason why a database can't be used for sample data. Completes a sentence. */
export const NOT_FOR_SAMPLE_DATA =
  'it already has tables and is not marked as sample data, which needs its own database. Name a new one, or move ' +
  'this one away. Nothing was changed.'

/** Returns the reason why a database that has been copied to `target` is refused. Completes a sentence. */
export const copiedText = (target: string): string =>
  `it was copied to ${target}, which doesn't get changes made here. Set DATABASE_URL to that one. If it doesn't ` +
  'open, the copy stopped just before its end: run npm run db:copy again. To continue with this one instead, set ' +
  'ALLOW_COPIED_DATABASE=true. Nothing was changed.'
