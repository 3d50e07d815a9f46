import { chmodSync, cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

// node build/build.js [<folder> <further file>…]: bundles the service and its commands into dist/, since most of a
// start would else be to find and read a thousand small files. Further files are for another folder.

const root = fileURLToPath(new URL('..', import.meta.url))
const [out = 'dist', ...further] = process.argv.slice(2)
const PROGRAMS = ['server', 'cli/trivial']

// Compiled for the machine, or made to look at how modules are loaded, so they stay where npm puts them. The driver of
// PostgreSQL works without its native part.
const EXTERNAL = ['better-sqlite3', 'pg-native', '@fastify/otel', '@opentelemetry/*']

// What packages in CommonJS call by this name.
const BANNER =
  "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);"

/** @param {string} folder */
const sourcesIn = folder =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map(path => `${folder}/${path}`)
    .filter(path => path.endsWith('.ts'))

// @fastify/autoload finds them by folder. Nothing else must be there.
const routes = sourcesIn('routes').filter(path => /^export default /m.test(readFileSync(join(root, path), 'utf8')))

/**
 * Leaves packages that our own sources load late to Node, which finds the names that a CommonJS module exports; a
 * bundle of one has only its default.
 *
 * @type {import('esbuild').Plugin}
 */
const leaveLatePackages = {
  name: 'late packages',
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
  // Not in a folder of their own, since paths.ts may be in one of them.
  chunkNames: '[name]-[hash]',
  sourcemap: 'linked',
  sourcesContent: false,
  metafile: true,
  logLevel: 'warning'
})

/**
 * The licenses of the packages that files belong to, as a text that goes along with a bundle of them.
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
  plugins: [leaveLatePackages],
  banner: { js: BANNER }
})
// Apart from the service, so that other services load nothing of the rest, and with packages that npm installs: they
// have their own Fastify.
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
