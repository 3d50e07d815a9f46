/** Returns the current time according to the authoritative clock, which is the database's if several nodes share it. */
export type Now = () => Date

/** Returns the current time of this machine's clock. */
export const ownTime: Now = () => new Date()

/** Returns the current time of this machine's clock, in milliseconds since 1970. */
export const ownMilliseconds = (): number => Date.now()
