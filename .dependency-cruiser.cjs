// The rules for imports: routes, plugins, cli → domain ← db, without cycles. `npm run lint` enforces them.
const TOP = '^(app|server|service)\\.ts$'

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'domain-is-independent',
      comment: 'The domain must not depend on a framework, an engine or HTTP.',
      severity: 'error',
      from: { path: '^domain/' },
      to: {
        path:
          '' +
          '^(routes|plugins|cli|http|config|db|bench|test)/|^(app|server|service|paths)\\.ts$|node_modules/(@?fastify|ajv|drizzle-orm|better-sqlite3|pg|ioredis)'
      }
    },
    {
      name: 'net-is-independent',
      severity: 'error',
      from: { path: '^net/' },
      to: { path: '^(domain|routes|plugins|cli|http|config|db|bench|test)/' }
    },
    {
      name: 'client-is-independent',
      comment: 'Other programs load the client without the service and its packages. It uses the types of the domain.',
      severity: 'error',
      from: { path: '^client/' },
      to: { path: '^(routes|plugins|cli|http|config|db|bench|test)/|node_modules', pathNot: 'node_modules/@types/' }
    },
    {
      name: 'client-uses-only-types-of-the-domain',
      severity: 'error',
      from: { path: '^client/' },
      to: { path: '^domain/', dependencyTypesNot: ['type-only'] }
    },
    {
      name: 'db-is-below-plugins-and-http',
      severity: 'error',
      from: { path: '^db/' },
      to: { path: `^(routes|plugins|cli|http|bench|test)/|${TOP}` }
    },
    {
      name: 'engines-only-in-db',
      comment: 'Only db/open.ts selects an engine.',
      severity: 'error',
      from: { path: '^(routes|plugins|cli|http|config|domain|net)/' },
      to: { path: '^db/(sqlite|postgres)/' }
    },
    {
      name: 'http-is-below-plugins-and-routes',
      severity: 'error',
      from: { path: '^(http|config)/' },
      to: { path: '^(routes|plugins|cli|db|bench|test)/' }
    },
    {
      name: 'plugins-are-below-routes',
      severity: 'error',
      from: { path: '^plugins/' },
      to: { path: '^(routes|cli|bench|test)/' }
    },
    {
      name: 'no-database-in-routes',
      severity: 'error',
      from: { path: '^routes/' },
      to: { path: '^(db|cli|config|bench|test)/' }
    },
    {
      name: 'no-tests-in-sources',
      severity: 'error',
      from: { pathNot: '^(test|bench)/' },
      to: { path: '^(test|bench)/' }
    },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true, pathNot: '^node:' } }
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|dist-test|dist-bench|\\.tap)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.cjs', '.d.ts', '.json'],
      conditionNames: ['import', 'types', 'node', 'default'],
      exportsFields: ['exports']
    }
  }
}
