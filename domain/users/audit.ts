import type { AuditSource, Changes } from '../audits/audit.ts'
import type { AuditRows } from '../audits/rows.ts'
import { appendAudit } from '../audits/service.ts'
import type { Now } from '../time.ts'
import type { UserRows } from './rows.ts'
import type { User } from './user.ts'

/** The rows required for changes to users. */
export interface UserTx {
  readonly users: UserRows
  readonly audits: AuditRows
  readonly now: Now
}

/** Returns the fields of a user that are recorded in the audit trail. Excludes the password hash. */
export const auditedUser = ({ name, email, role, colorTheme, accountLocked }: User): Record<string, unknown> => ({
  name,
  email,
  role,
  color_theme: colorTheme,
  account_locked: accountLocked
})

/** Appends the audit entry for a change to a user. */
export const auditUser = async (
  { audits }: Pick<UserTx, 'audits'>,
  verb: string,
  id: number,
  { at, source, changes }: { at: Date; source: AuditSource; changes: Changes }
): Promise<void> => {
  await appendAudit(audits, { at, source, action: `user.${verb}`, subject: { type: 'user', id: String(id) }, changes })
}
