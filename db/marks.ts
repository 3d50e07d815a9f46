/** What a database is marked as, for ever: a row of its table `database_marks`. */
export type Mark = 'sample'

/** Why a database is refused for sample data, as the end of a sentence. */
export const NOT_FOR_SAMPLE_DATA =
  'it has tables already and is not marked as sample data, which gets a database of its own. Name a new one, or move ' +
  'this one away. Nothing was changed.'
