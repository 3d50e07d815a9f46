import { userInfo } from 'node:os'
import type { Origin } from '../audits/audit.ts'

/** Who types at the command line, for the audit trail: the user of the operating system. */
export const cliOrigin = (): Origin => {
  const { uid, username } = userInfo()
  return { actor: { kind: 'cli', id: String(uid), name: username }, address: null, requestId: null }
}
