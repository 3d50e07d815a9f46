/** The error for a missing row that every database has. The database is damaged or being restored. */
export class RowMissing extends Error {}
