/** Returns the present instant, by the clock that decides: that of the database if several nodes share one. */
export type Now = () => Date

/** The clock of this machine. */
export const ownTime: Now = () => new Date()

/** The clock of this machine, in milliseconds since 1970. */
export const ownMilliseconds = (): number => Date.now()
