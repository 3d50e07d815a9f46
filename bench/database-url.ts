const URL_OF_POSTGRES = /^postgres(ql)?:/

/** The DATABASE_URL of a database of the bench: the path of an SQLite file, or the URL of a PostgreSQL one. */
export const urlOf = (database: string): string => (URL_OF_POSTGRES.test(database) ? database : `file:${database}`)
