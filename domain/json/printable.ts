/** Matches human-readable text: well-formed Unicode with at least one visible character and no control characters. */
// The first two character classes are disjoint. If they overlapped, a search would take quadratic time.
export const PRINTABLE = '^[\\p{Z}\\p{Cf}\\p{Co}\\p{Cn}]*[^\\p{C}\\p{Z}][^\\p{Cc}\\p{Cs}]*$'
