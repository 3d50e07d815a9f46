/** Converts a timestamp to its stored format: ISO 8601 in UTC with milliseconds, which sorts chronologically. */
export const toText = (timestamp: Date): string => timestamp.toISOString()

export const toOptionalText = (timestamp: Date | null): string | null => (timestamp === null ? null : toText(timestamp))

export const toDate = (text: string): Date => new Date(text)

export const toOptionalDate = (text: string | null): Date | null => (text === null ? null : new Date(text))
