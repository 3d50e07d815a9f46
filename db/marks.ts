/** What a database is marked as, for ever: a row of its table `database_marks`. SQLite only is `copied`. */
export type Mark = 'sample' | 'copied'

/** Why a database is refused for sample data, as the end of a sentence. */
export const NOT_FOR_SAMPLE_DATA =
  'it has tables already and is not marked as sample data, which gets a database of its own. Name a new one, or move ' +
  'this one away. Nothing was changed.'

/** Why a database is refused that was copied to another one, as the end of a sentence. */
export const copiedText = (target: string): string =>
  `it was copied to ${target}, which would lack what is changed here. Set DATABASE_URL to that one. If it does not ` +
  'open, the copy was stopped at its very end: run npm run db:copy again. To go on with this one instead, set ' +
  'ALLOW_COPIED_DATABASE=true. Nothing was changed.'
