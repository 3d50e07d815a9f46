import swagger from '@fastify/swagger'
import fp from 'fastify-plugin'
import { AppJson, TagJson } from '../../domain/apps/representation.ts'
import { AppPermissionJson, UserPermissionJson } from '../../domain/access/representation.ts'
import { MemberJson, OrganizationJson, OrganizationWithUsersJson } from '../../domain/organizations/representation.ts'
import { SessionJson, SignedInJson, UserJson } from '../../domain/users/representation.ts'
import { AuditJson } from '../../domain/audits/representation.ts'
import {
  ActorJson,
  ClientKeyJson,
  ClientKeyWithTokensJson,
  IssuedKeyJson,
  PolicyJson,
  RotatedKeyJson,
  TokenRecordJson,
  UsageJson
} from '../../domain/keys/representation.ts'
import { arrangeDocument } from '../../http/api-document.ts'
import type { ApiDocument } from '../../http/api-document.ts'
import { Problem } from '../../http/problems.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The OpenAPI document for clients that reach the service at an address, made when it is first asked for. */
    openapi: (address: string) => ApiDocument
  }
}

/** The version of the API; the same as the package's. */
const VERSION = '0.1.0'

const DESCRIPTION = `
Calls are authorized by a **client key** or by the session of a user. A client key is a long-lived Bearer token, tied to no user and
no app, that reaches every app and overrides user and organization authorization. A key may be held to scopes, addresses, a rate and an expiry; without any it reaches
everything. The operator of the service makes the first with \`npm run key:issue\`; a key with the scope \`client_keys:write\` makes others.
Press *Authorize* and paste the \`key_access_token\` to try the calls on this page.

Users sign in with \`POST /auth/sign_in\` and reach what is theirs: the apps that they own, those of their organizations, and those that they were
granted. A client key that is sent along with a session wins.

Client keys are for servers. A request with a client key that a browser sends from a page of another site is refused.

Every failure is a problem document (RFC 9457) with a stable \`code\`.
`.trim()

/** The OpenAPI document, made from the routes' schemas; plugins/docs.ts serves it. */
export default fp(
  async fastify => {
    for (const schema of [
      AppJson,
      TagJson,
      ActorJson,
      ClientKeyJson,
      ClientKeyWithTokensJson,
      IssuedKeyJson,
      RotatedKeyJson,
      PolicyJson,
      TokenRecordJson,
      UsageJson,
      AuditJson,
      UserJson,
      SignedInJson,
      SessionJson,
      OrganizationJson,
      MemberJson,
      OrganizationWithUsersJson,
      AppPermissionJson,
      UserPermissionJson,
      Problem
    ]) {
      fastify.addSchema(schema)
    }

    await fastify.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Trivial API',
          summary: "Trivial's apps, for other servers, by client key.",
          description: DESCRIPTION,
          version: VERSION,
          license: { name: 'MIT', identifier: 'MIT' }
        },
        tags: [
          { name: 'Apps', description: 'Every app of every owner.' },
          { name: 'Tags', description: 'Labels on apps: a context and a name, such as `department` and `finance`.' },
          {
            name: 'Client keys',
            description:
              'Who is let in: issue, restrict, watch, rotate and revoke keys, each change good for the very next request.'
          },
          { name: 'Signing in', description: 'Sessions of users: sign up, in and out, and the profile.' },
          { name: 'Users', description: 'For administrators, and client keys that have the scope.' },
          { name: 'Organizations', description: 'Who belongs to them, as what.' },
          { name: 'Permissions', description: 'Who was granted what on which app, and who owns it.' },
          { name: 'Audits', description: 'Who changed what.' },
          { name: 'Health', description: 'Whether the service is alive and ready. No credential is needed.' }
        ],
        components: {
          securitySchemes: {
            clientKey: {
              type: 'http',
              scheme: 'bearer',
              bearerFormat: 'key_access_token',
              description:
                'A client key: the `key_access_token` that `npm run key:issue` prints, for server-to-server calls.'
            },
            userSession: {
              type: 'http',
              scheme: 'bearer',
              bearerFormat: 'session',
              description:
                'A session of a user: the `authorization` header of the reply to `POST /auth/sign_in`, without its first word.'
            },
            accessToken: {
              type: 'apiKey',
              in: 'header',
              name: 'access-token',
              description: 'A session in three headers: this one,'
            },
            client: { type: 'apiKey', in: 'header', name: 'client', description: 'this one,' },
            uid: {
              type: 'apiKey',
              in: 'header',
              name: 'uid',
              description: 'and this one, as the reply to `POST /auth/sign_in` has them.'
            }
          }
        }
      },
      refResolver: { buildLocalReference: json => (json as { $id: string }).$id }
    })

    let document: ApiDocument | undefined
    fastify.decorate('openapi', address => {
      document ??= arrangeDocument(JSON.parse(JSON.stringify(fastify.swagger())) as ApiDocument)
      return { ...document, servers: [{ url: address }] }
    })
  },
  { name: 'openapi', dependencies: ['errors', 'security-headers', 'validation'] }
)
