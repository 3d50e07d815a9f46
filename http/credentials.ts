import type { FastifyContextConfig } from 'fastify'

type Access = Required<Pick<FastifyContextConfig, 'scope' | 'users'>>

/**
 * The one way of the OpenAPI document to send a credential, a client key or a session: a generated client sends its
 * credential in every header that `security` names.
 */
export const SECURITY_SCHEMES = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description: `A client key, for calls between servers: the \`key_access_token\` that
\`npm run key:issue -- --name <name>\` prints. Or the session of a user: the \`authorization\` header of the reply to
\`POST /auth/sign_in\`, without its first word.`.replaceAll('\n', ' ')
  }
} as const

/** What the documentation of a route says of its credentials. */
export const describeAccess = ({
  scope,
  users
}: Access): { security: { bearer: readonly string[] }[]; sentence: string } => {
  const scopes = scope === null || scope === 'none' ? [] : [scope].flat()
  const needed = scopes.map(each => `\`${each}\``).join(' and ')
  const key = needed === '' ? 'a client key' : `a client key with ${needed}`
  const session = users === 'admin' ? 'the session of an administrator' : 'the session of a user'
  const accepted = [...(scope === 'none' ? [] : [key]), ...(users === 'none' ? [] : [session])]
  return { security: [{ bearer: scopes }], sentence: `Credential: ${accepted.join(', or ')}.` }
}
