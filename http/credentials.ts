import type { FastifyContextConfig } from 'fastify'

type Access = Required<Pick<FastifyContextConfig, 'scope' | 'users' | 'isIntrospection'>>

/**
 * The security schemes of the OpenAPI document. Client keys and sessions share a single scheme, because generated
 * clients would otherwise send their credential in every header that `security` lists.
 */
export const SECURITY_SCHEMES = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description: `For calls between servers, a client key: the \`key_access_token\` that
\`npm run key:issue -- --name <name>\` prints. For users, a session: the \`authorization\` header of the reply to
\`POST /auth/sign_in\`, without the word Bearer.`.replaceAll('\n', ' ')
  }
} as const

/** Returns the documentation for the credentials that a route accepts. */
export const describeAccess = ({
  scope,
  users,
  isIntrospection
}: Access): { security: { bearer: readonly string[] }[]; sentence: string } => {
  const scopes = scope === null || scope === 'none' ? [] : [scope].flat()
  const needed = scopes
    .map(each => (isIntrospection ? `\`${each}\` or \`${each}:<service>\`` : `\`${each}\``))
    .join(' and ')
  const key = needed === '' ? 'a client key' : `a client key with ${needed}`
  const session = users === 'admin' ? "an administrator's session" : "a user's session"
  const accepted = [...(scope === 'none' ? [] : [key]), ...(users === 'none' ? [] : [session])]
  return { security: [{ bearer: scopes }], sentence: `Credential: ${accepted.join(', or ')}.` }
}
