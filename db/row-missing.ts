/** Thrown if a row that every database must have is missing, because the database is damaged or being restored. */
export class RowMissing extends Error {}
