/** Splits a comma-separated list, as some variables are; blanks around entries and empty entries are ignored. */
export const listEntries = (list: string): string[] =>
  list.split(',').map(entry => entry.trim()).filter(entry => entry !== '')
