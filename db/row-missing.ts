/** A row that every database has is not there: the database is damaged, or is being restored. */
export class RowMissing extends Error {}
