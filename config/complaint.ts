/** A failure that the person who started the program can mend; the message is all there is to show. */
export class Complaint extends Error {}
