const UNEXPANDED = /^(?:~|\$|%\w+%)/

/**
 * Returns whether a path begins with `~` or a variable. Only a shell expands these. Any other program would create a
 * file or folder with that literal name.
 */
export const isUnexpanded = (path: string): boolean => UNEXPANDED.test(path)
