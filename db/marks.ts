/** A permanent mark of a database. It's a row of the table `database_marks`. Only SQLite databases can be `copied`. */
export type Mark = 'sample' | 'copied'

/** The reason why a database is refused for sample data, as the end of a sentence. */
export const NOT_FOR_SAMPLE_DATA =
  'it already has tables and is not marked as sample data, which needs its own database. Name a new one, or move ' +
  'this one away. Nothing was changed.'

/** Returns the reason why a database that was copied to the given target is refused, as the end of a sentence. */
export const copiedText = (target: string): string =>
  `it was copied to ${target}, which doesn't get changes made here. Set DATABASE_URL to that one. If it doesn't ` +
  'open, the copy stopped just before its end: run npm run db:copy again. To continue with this one instead, set ' +
  'ALLOW_COPIED_DATABASE=true. Nothing was changed.'
