import { UserError } from '../config/user-error.ts'

/** Grants that can't be made for a role; the message says why. */
export class GrantsError extends UserError {}
