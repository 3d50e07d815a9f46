import { userInfo } from 'node:os'
import type { RequestContext } from '../domain/access/principal.ts'

/** Returns the request context for the operator: the operating system user, without a permission boundary. */
export const operatorContext = (): RequestContext => ({
  actor: { kind: 'cli', ...operatingSystemUser() },
  principal: null,
  address: null,
  requestId: null
})

const operatingSystemUser = (): { id: string; name: string } => {
  try {
    const { uid, username } = userInfo()
    return { id: String(uid), name: username }
  } catch {
    // A container may run with a user id that has no name.
    const id = String(process.getuid?.())
    return { id, name: `uid ${id}` }
  }
}
