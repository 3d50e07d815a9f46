import 'trivial-api/client-key-auth'

declare module 'fastify' {
  interface ClientKeyTypes {
    scope: 'reports:read' | 'reports:write'
  }
}
