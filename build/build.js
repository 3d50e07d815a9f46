import { chmodSync, cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

// node build/build.js [<folder> <file>…]: bundles the service and its commands into dist/. Without a bundle, a program
// would spend most of its startup time reading a thousand small files. The benchmarks pass another folder and
// additional files.

const root = fileURLToPath(new URL('..', import.meta.url))
const [out = 'dist', ...further] = process.argv.slice(2)
const PROGRAMS = ['server', 'cli/trivial']

// These packages stay in node_modules because they are native or hook into module loading. The PostgreSQL driver works
// without pg-native.
const EXTERNAL = ['better-sqlite3', 'pg-native', '@fastify/otel', '@opentelemetry/*']

// Defines `require`, which bundled CommonJS packages call and ES modules lack.
const BANNER =
  "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);"

/** @param {string} folder */
const sourcesIn = folder =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map(path => `${folder}/${path}`)
    .filter(path => path.endsWith('.ts'))

// @fastify/autoload loads every file in the route folders, so they must contain only routes.
const routes = sourcesIn('routes').filter(path => /^export default /m.test(readFileSync(join(root, path), 'utf8')))

/**
 * Excludes packages that our sources import dynamically. Node detects a CommonJS module's named exports, but a bundled
 * module would have only a default export.
 *
 * @type {import('esbuild').Plugin}
 */
const excludeDynamicImports = {
  name: 'dynamic imports',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^[^.]/ }, ({ kind, importer }) =>
      kind === 'dynamic-import' && !importer.includes('node_modules') ? { external: true } : undefined
    )
  }
}

const options = /** @satisfies {import('esbuild').BuildOptions} */ ({
  absWorkingDir: root,
  outdir: out,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  // Chunks must be in the root of the output folder, because one of them may contain paths.ts, which locates other
  // files relative to itself.
  chunkNames: '[name]-[hash]',
  sourcemap: 'linked',
  sourcesContent: false,
  metafile: true,
  logLevel: 'warning'
})

/**
 * Returns the licenses of the packages that the files belong to, as one string to distribute with the bundle.
 *
 * @param {string[]} files
 */
const licensesOf = files =>
  [...new Set(files.flatMap(path => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []))]
    .sort()
    .map(folder => {
      const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
      const texts = readdirSync(join(root, folder))
        .filter(file => /^(licen[cs]e|notice)/i.test(file))
        .map(file => readFileSync(join(root, folder, file), 'utf8'))
      return [`${name} ${version} (${license})`, ...texts].join('\n\n')
    })
    .join(`\n${'-'.repeat(80)}\n`)

rmSync(join(root, out), { recursive: true, force: true })
const { metafile } = await build({
  ...options,
  entryPoints: [...PROGRAMS.map(path => `${path}.ts`), ...routes, ...further],
  outbase: '.',
  external: EXTERNAL,
  plugins: [excludeDynamicImports],
  banner: { js: BANNER }
})
// The exports have a separate bundle, so that other services don't load the rest of this service. The bundle excludes
// packages, because other services have their own Fastify.
await build({
  ...options,
  entryPoints: sourcesIn('exports').map(path => ({ in: path, out: basename(path, '.ts') })),
  packages: 'external'
})
for (const path of PROGRAMS) chmodSync(join(root, out, `${path}.js`), 0o755)
for (const path of ['db/sqlite/migrations', 'db/postgres/migrations']) {
  cpSync(join(root, path), join(root, out, path), { recursive: true })
}
writeFileSync(join(root, out, 'LICENSES.txt'), licensesOf(Object.keys(metafile.inputs)))
