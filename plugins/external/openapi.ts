import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import Fastify from 'fastify'
import type { RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import { AppJson, MessageJson, TagJson } from '../../http/representations/apps.ts'
import { AppPermissionJson, UserGrantJson, UserPermissionsJson } from '../../http/representations/permissions.ts'
import { MemberJson, OrganizationJson, OrganizationWithUsersJson } from '../../http/representations/organizations.ts'
import { ProfileJson, SessionJson, SignedInJson, UserJson } from '../../http/representations/users.ts'
import { AuditPageJson } from '../../http/representations/audit-pages.ts'
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
import { SECURITY_SCHEMES } from '../../http/credentials.ts'
import { DESCRIPTION, TAGS } from '../../http/openapi.ts'
import { RevokedOwnerJson } from '../../http/representations/owners.ts'
import { OwnerUsageJson, UsageJson } from '../../http/representations/usage.ts'
import type { ApiDocument } from '../../http/api-document.ts'
import { Problem } from '../../http/problems.ts'
import { VERSION } from '../../version.ts'
import { IntrospectionJson } from '../../http/representations/introspection.ts'
import { InspectionJson } from '../../http/representations/inspection.ts'
import { NodeJson } from '../../http/representations/nodes.ts'
import { ReceiptJson } from '../../http/representations/receipts.ts'
import { ChangedServiceJson, ServiceJson } from '../../http/representations/services.ts'
import { lazily } from '../../domain/lazy.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Returns the OpenAPI document for clients that reach the service at `address`. The first call generates it. */
    openapi: (address: string) => Promise<ApiDocument>
  }
}

const SCHEMAS = [
  AppJson,
  TagJson,
  MessageJson,
  ActorJson,
  ClientKeyJson,
  ClientKeyWithTokensJson,
  IssuedKeyJson,
  ChangedKeyJson,
  RevokedOwnerJson,
  RotatedKeyJson,
  ReceiptJson,
  NodeJson,
  PolicyJson,
  TokenRecordJson,
  UsageJson,
  OwnerUsageJson,
  InspectionJson,
  IntrospectionJson,
  ServiceJson,
  ChangedServiceJson,
  AuditJson,
  AuditPageJson,
  UserJson,
  SignedInJson,
  ProfileJson,
  SessionJson,
  OrganizationJson,
  MemberJson,
  OrganizationWithUsersJson,
  AppPermissionJson,
  UserGrantJson,
  UserPermissionsJson,
  Problem
]

const OPTIONS: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Trivial API',
      summary: "Gives other servers access to Trivial's apps, with client keys.",
      description: DESCRIPTION,
      version: VERSION,
      license: { name: 'MIT', identifier: 'MIT' }
    },
    tags: TAGS,
    components: { securitySchemes: SECURITY_SCHEMES }
  },
  refResolver: { buildLocalReference: json => (json as { $id: string }).$id }
}

/**
 * Generates the OpenAPI document for the routes, in a separate application that never listens. `@fastify/swagger` is
 * imported dynamically, because importing it would take 5 % of the startup time.
 */
const describe = async (routes: readonly RouteOptions[]): Promise<ApiDocument> => {
  const { default: swagger } = await import('@fastify/swagger')
  const described = Fastify({ exposeHeadRoutes: false })
  described.setValidatorCompiler(() => Boolean)
  described.setSerializerCompiler(() => JSON.stringify)
  for (const schema of SCHEMAS) described.addSchema(schema)
  await described.register(swagger, OPTIONS)
  for (const { method, url, schema = {}, handler } of routes) described.route({ method, url, schema, handler })
  await described.ready()
  return arrangeDocument(JSON.parse(JSON.stringify(described.swagger())) as ApiDocument)
}

/** Generates the OpenAPI document from the routes' schemas. `plugins/external/docs.ts` serves it. */
export default fp(
  async fastify => {
    const routes: RouteOptions[] = []
    fastify.addHook('onRoute', route => {
      if (route.method !== 'HEAD') routes.push(route)
    })
    const document = lazily(async () => await describe(routes))
    fastify.decorate('openapi', async address => {
      return { ...(await document()), servers: [{ url: address }] }
    })
  },
  { name: 'openapi', dependencies: ['errors', 'security-headers', 'validation'] }
)
