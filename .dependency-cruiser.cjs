// Imports run routes, plugins, cli → domain ← db, in no circle. `npm run lint` holds this.
const TOP = '^(app|server|service)\\.ts$'

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'domain-stands-alone',
      comment: 'The domain knows no framework, no engine and no status code.',
      severity: 'error',
      from: { path: '^domain/' },
      to: {
        path:
          '' +
          '^(routes|plugins|cli|http|config|db|bench|test)/|^(app|server|service|paths)\\.ts$|node_modules/(@?fastify|ajv|drizzle-orm|better-sqlite3|pg|ioredis)'
      }
    },
    {
      name: 'net-stands-alone',
      severity: 'error',
      from: { path: '^net/' },
      to: { path: '^(domain|routes|plugins|cli|http|config|db|bench|test)/' }
    },
    {
      name: 'db-serves-the-domain',
      severity: 'error',
      from: { path: '^db/' },
      to: { path: `^(routes|plugins|cli|http|bench|test)/|${TOP}` }
    },
    {
      name: 'engines-stay-behind-their-door',
      comment: 'Which engine there is, is decided in db/open.ts.',
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
      name: 'routes-reach-no-database',
      severity: 'error',
      from: { path: '^routes/' },
      to: { path: '^(db|cli|config|bench|test)/' }
    },
    {
      name: 'no-test-in-the-program',
      severity: 'error',
      from: { pathNot: '^(test|bench)/' },
      to: { path: '^(test|bench)/' }
    },
    { name: 'no-unknown', severity: 'error', from: {}, to: { couldNotResolve: true, pathNot: '^node:' } }
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
