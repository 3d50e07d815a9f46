import { userInfo } from 'node:os'
import type { RequestContext } from '../domain/access/principal.ts'

/** The operator at the command line, whom nothing bounds: the user of the operating system. */
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
    // A container may run under a number that has no name.
    const id = String(process.getuid?.())
    return { id, name: `uid ${id}` }
  }
}
