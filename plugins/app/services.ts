import fp from 'fastify-plugin'
import { createAppService } from '../../domain/apps/service.ts'
import type { AppService } from '../../domain/apps/service.ts'
import { createAuditService } from '../../domain/audits/service.ts'
import type { AuditService } from '../../domain/audits/service.ts'
import { createScopedAuditService } from '../../domain/audits/scoped-pages.ts'
import type { ScopedAuditService } from '../../domain/audits/scoped-pages.ts'
import { createOrganizationService } from '../../domain/organizations/service.ts'
import type { OrganizationService } from '../../domain/organizations/service.ts'
import { createUserService } from '../../domain/users/service.ts'
import type { UserService } from '../../domain/users/service.ts'

declare module 'fastify' {
  interface FastifyInstance {
    apps: AppService
    audits: AuditService
    scopedAudits: ScopedAuditService
    organizations: OrganizationService
    users: UserService
  }
}

/** Creates the services for apps, organizations, users and the audit trail. They enforce the rules. */
export default fp(
  async fastify => {
    const { storage } = fastify
    fastify.decorate('apps', createAppService(storage))
    fastify.decorate('audits', createAuditService(storage))
    fastify.decorate('scopedAudits', createScopedAuditService(storage))
    fastify.decorate('organizations', createOrganizationService(storage))
    fastify.decorate('users', createUserService(storage))
  },
  { name: 'services', dependencies: ['database'] }
)
