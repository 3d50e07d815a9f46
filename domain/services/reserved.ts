/**
 * The names of this API's resources, existing and planned, in singular and plural. No service can have one of these
 * names, so a scope of this API never has the same name as a scope of a service.
 */
const RESERVED: ReadonlySet<string> = new Set([
  ...['api', 'app', 'apps', 'audit', 'audits', 'auth', 'client-key', 'client-keys', 'console', 'credential'],
  ...['credentials', 'docs', 'grant', 'grants', 'health', 'import', 'imports', 'internal', 'introspect'],
  ...['introspection', 'issuer', 'issuers', 'jwks', 'key', 'keys', 'leak', 'leaks', 'lease', 'leases', 'login', 'me'],
  ...['member', 'members', 'metric', 'metrics', 'node', 'nodes', 'none', 'oauth', 'openapi', 'organization'],
  ...['organizations', 'owner', 'owners', 'permission', 'permissions', 'policies', 'policy', 'profile', 'profiles'],
  ...['receipt', 'receipts', 'role', 'roles', 'scope', 'scopes', 'secret', 'secrets', 'service', 'services'],
  ...['session', 'sessions', 'tag', 'tags', 'token', 'tokens', 'trail', 'trails', 'trivial', 'usage', 'user', 'users'],
  ...['verify', 'webhook', 'webhooks', 'well-known', 'workload', 'workloads']
])

export const isReservedName = (name: string): boolean => RESERVED.has(name)
