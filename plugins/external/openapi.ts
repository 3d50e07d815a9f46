import swagger from '@fastify/swagger'
import fp from 'fastify-plugin'
import { AppJson, TagJson } from '../../http/representations/apps.ts'
import { AppPermissionJson, UserPermissionJson } from '../../http/representations/permissions.ts'
import { MemberJson, OrganizationJson, OrganizationWithUsersJson } from '../../http/representations/organizations.ts'
import { SessionJson, SignedInJson, UserJson } from '../../http/representations/users.ts'
import { AuditJson } from '../../http/representations/audits.ts'
import {
  ActorJson,
  ClientKeyJson,
  ClientKeyWithTokensJson,
  IssuedKeyJson,
  PolicyJson,
  ChangedKeyJson,
  RotatedKeyJson,
  TokenRecordJson
} from '../../http/representations/keys.ts'
import { arrangeDocument } from '../../http/api-document.ts'
import { DESCRIPTION, SECURITY_SCHEMES, TAGS } from '../../http/openapi.ts'
import { UsageJson } from '../../http/representations/usage.ts'
import type { ApiDocument } from '../../http/api-document.ts'
import { Problem } from '../../http/problems.ts'
import { VERSION } from '../../version.ts'
import { NodeJson } from '../../http/representations/nodes.ts'
import { ReceiptJson } from '../../http/representations/receipts.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The OpenAPI document for clients that reach the service at an address, made when it is first asked for. */
    openapi: (address: string) => ApiDocument
  }
}

const SCHEMAS = [
  AppJson,
  TagJson,
  ActorJson,
  ClientKeyJson,
  ClientKeyWithTokensJson,
  IssuedKeyJson,
  ChangedKeyJson,
  RotatedKeyJson,
  ReceiptJson,
  NodeJson,
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
]

/** The OpenAPI document, made from the routes' schemas; plugins/external/docs.ts serves it. */
export default fp(
  async fastify => {
    for (const schema of SCHEMAS) fastify.addSchema(schema)

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
        tags: TAGS,
        components: { securitySchemes: SECURITY_SCHEMES }
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
