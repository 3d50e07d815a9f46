/** Text for people: something to be seen, no control characters, and nothing that is not Unicode text. */
// What may come before the first visible character is not visible itself: where the two could overlap, the search would
// be quadratic.
export const PRINTABLE = '^[\\p{Z}\\p{Cf}\\p{Co}\\p{Cn}]*[^\\p{C}\\p{Z}][^\\p{Cc}\\p{Cs}]*$'
