export const MAX_METADATA_BYTES = 4096
/** At most how many addresses and ranges a key may be used from. */
export const MAX_RANGES = 100
/** The longest window of a rate limit: a day. */
export const MAX_WINDOW_SECONDS = 86_400

/** No name of a key: the command line takes an id or a name, and - for standard input. */
export const LIKE_AN_ID = /^(-|env_[0-9a-f]{16})$/
/** The maximum length of the reason of a revocation. */
export const MAX_REASON = 500
