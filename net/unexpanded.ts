const UNEXPANDED = /^(?:~|\$|%\w+%)/

/**
 * Returns whether a path begins with `~` or a variable. Only a shell expands these, so a file or folder with that
 * literal name would be created.
 */
export const isUnexpanded = (path: string): boolean => UNEXPANDED.test(path)
