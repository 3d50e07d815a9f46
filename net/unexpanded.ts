const UNEXPANDED = /^(?:~|\$|%\w+%)/

/**
 * Returns whether a path begins with `~` or a variable. Only a shell expands these. Otherwise, a file or a folder with
 * that name would be created.
 */
export const isUnexpanded = (path: string): boolean => UNEXPANDED.test(path)
