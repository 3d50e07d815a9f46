/** Matches human-readable text: at least one visible character, no control characters, only well-formed Unicode. */
// The characters before the first visible one are matched by a disjoint class. If the two classes overlapped, the
// search would take quadratic time.
export const PRINTABLE = '^[\\p{Z}\\p{Cf}\\p{Co}\\p{Cn}]*[^\\p{C}\\p{Z}][^\\p{Cc}\\p{Cs}]*$'
