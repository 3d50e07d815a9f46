import { UserError } from '../config/user-error.ts'

/** A failure to give rights to a role. The message contains the reason. */
export class GrantsError extends UserError {}
