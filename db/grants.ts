import { UserError } from '../config/user-error.ts'

/** Thrown if a role can't be given privileges. The message contains the reason. */
export class GrantsError extends UserError {}
