import { userInfo } from 'node:os'
import type { Origin } from '../domain/audits/audit.ts'

/** Who types at the command line, for the audit trail: the user of the operating system. */
export const cliOrigin = (): Origin => ({
  actor: { kind: 'cli', ...operatingSystemUser() },
  address: null,
  requestId: null
})

const operatingSystemUser = (): { id: string; name: string } => {
  try {
    const { uid, username } = userInfo()
    return { id: String(uid), name: username }
  } catch {
    // A container may run under a number that has no name.
    const id = String(process.getuid?.())
    return { id, name: `uid ${id}` }
  }
}
