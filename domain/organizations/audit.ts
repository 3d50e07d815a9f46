import type { RequestContext } from '../access/principal.ts'
import type { Changes } from '../audits/audit.ts'
import type { AuditRows } from '../audits/rows.ts'
import { appendAudit } from '../audits/service.ts'
import type { Organization } from './organization.ts'

/** Returns the fields of an organization that are recorded in the audit trail. */
export const auditedOrganization = ({ name, billingEmail }: Omit<Organization, 'id'>): Record<string, unknown> => ({
  name,
  billing_email: billingEmail
})

/** Appends the audit entry for a change to an organization. */
export const auditOrganization = async (
  { audits }: { readonly audits: AuditRows },
  verb: string,
  id: number,
  { at, context, changes }: { at: Date; context: RequestContext; changes: Changes }
): Promise<void> => {
  await appendAudit(audits, {
    at,
    source: context,
    action: `organization.${verb}`,
    subject: { type: 'organization', id: String(id) },
    changes
  })
}
