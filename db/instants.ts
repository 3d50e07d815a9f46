/** Converts the instant to its stored format: ISO 8601 text in UTC with milliseconds, which is sortable. */
export const toText = (instant: Date): string => instant.toISOString()

export const toOptionalText = (instant: Date | null): string | null => (instant === null ? null : toText(instant))

export const toDate = (text: string): Date => new Date(text)

export const toOptionalDate = (text: string | null): Date | null => (text === null ? null : new Date(text))
