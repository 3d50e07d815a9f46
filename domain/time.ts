/** Returns the current time by the authoritative clock: the database's clock if several nodes share a database. */
export type Now = () => Date

/** Returns the current time by the clock of this machine. */
export const ownTime: Now = () => new Date()

/** Returns the current time by the clock of this machine, in milliseconds since 1970. */
export const ownMilliseconds = (): number => Date.now()
