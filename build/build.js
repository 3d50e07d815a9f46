import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build as bundle } from 'esbuild'
import { licensesOf } from './licenses.js'
import { bundleExports } from './package.js'
import { entriesOf, filesIn, hashOf, readStamp, removeStamp, writeStamp } from './stamp.js'

// Compiled for the machine, or made to look at how modules are loaded, so they stay where npm puts them. The driver of
// PostgreSQL works without its native part.
const EXTERNAL = ['better-sqlite3', 'pg-native', '@fastify/otel', '@opentelemetry/*']

const MIGRATIONS = ['db/sqlite/migrations', 'db/postgres/migrations']
const LICENSES = 'LICENSES.txt'

// What packages in CommonJS call by this name.
const BANNER =
  "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);"

/**
 * Makes `dist/` from the sources and packages in a folder: one bundle, since most of a start would else be to find and
 * read a thousand small files. Plugins and routes have a file each in it, by which they are found. Further files can be
 * built beside them, into another folder.
 *
 * @param {string} root
 * @param {string} [out]
 * @param {string[]} [further]
 */
export const build = async (root, out = 'dist', further = []) => {
  const folder = join(root, out)
  const before = readStamp(folder)
  // Until the build is complete, nothing must take it for fresh.
  if (before === null) rmSync(folder, { recursive: true, force: true })
  else removeStamp(folder)

  const { programs, autoloaded, exported } = entriesOf(root)
  /** @type {Map<string, Buffer>} */
  const read = new Map()
  const { metafile } = await bundle({
    absWorkingDir: root,
    entryPoints: [
      ...programs.map(path => ({ in: `${PROGRAM}:${path}`, out: withoutEnding(path) })),
      { in: AUTOLOADED, out: AUTOLOADED },
      ...further.map(path => ({ in: path, out: withoutEnding(path) }))
    ],
    outdir: out,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external: EXTERNAL,
    // Not in a folder of their own, since paths.ts may be in one of them. Named by content, so that a running service
    // never loads a part of a later build.
    chunkNames: '[name]-[hash]',
    banner: { js: BANNER },
    sourcemap: 'linked',
    sourcesContent: false,
    metafile: true,
    logLevel: 'warning',
    plugins: [wrapPrograms(root), gather(root, autoloaded), leaveLatePackages, noteSources(root, read)]
  })

  for (const path of programs) chmodSync(join(folder, `${withoutEnding(path)}.js`), 0o755)
  const migrations = MIGRATIONS.flatMap(folder => filesIn(root, folder))
  for (const path of MIGRATIONS) cpSync(join(root, path), join(folder, path), { recursive: true })
  const forOthers = await bundleExports(root, out, exported, [noteSources(root, read)])
  const bundled = [...new Set([...Object.keys(metafile.inputs), ...forOthers.inputs])].filter(path =>
    existsSync(join(root, path))
  )
  writeFileSync(join(folder, LICENSES), licensesOf(root, bundled))

  const outputs = [
    ...Object.keys(metafile.outputs),
    ...forOthers.outputs,
    ...writeFacades(root, out, autoloaded),
    ...migrations.map(path => `${out}/${path}`),
    `${out}/${LICENSES}`
  ]
  // What a running service may load late stays for one more build. A start finds plugins and routes by folder, so those
  // go.
  const byFolder = [`${out}/plugins/`, `${out}/routes/`]
  const earlier = (before?.outputs ?? []).filter(path => !byFolder.some(folder => path.startsWith(folder)))
  const wanted = new Set([...outputs, ...earlier])
  for (const path of filesIn(root, out)) if (!wanted.has(path)) rmSync(join(root, path))

  const inputs = [...bundled, ...migrations]
  const hash = hashOf(root, inputs, read)
  if (hash !== null) writeStamp(folder, { entries: [...programs, ...autoloaded, ...exported], inputs, hash, outputs })
}

/** @param {string} path */
const withoutEnding = path => path.replace(/\.ts$/, '')

const PROGRAM = 'program'

/**
 * Has each program begin with Node's cache of compiled code, where the version of Node has one (22.1 and later). It
 * works for what is loaded after it is switched on, and nothing fails where it can't be written.
 *
 * @param {string} root
 * @returns {import('esbuild').Plugin}
 */
const wrapPrograms = root => ({
  name: 'programs',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: new RegExp(`^${PROGRAM}:`) }, ({ path }) => ({
      path: path.slice(PROGRAM.length + 1),
      namespace: PROGRAM
    }))
    onLoad({ filter: /^/, namespace: PROGRAM }, ({ path }) => ({
      resolveDir: root,
      contents: `#!/usr/bin/env node
import module from 'node:module'
import { fileURLToPath } from 'node:url'
module.enableCompileCache?.(fileURLToPath(new URL('${upFrom(path)}.compile-cache', import.meta.url)))
await import('./${path}')`
    }))
  }
})

const AUTOLOADED = 'autoloaded'

/**
 * The plugins and routes as one file: all of them are loaded at each start.
 *
 * @param {string} root
 * @param {string[]} paths
 * @returns {import('esbuild').Plugin}
 */
const gather = (root, paths) => ({
  name: AUTOLOADED,
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: new RegExp(`^${AUTOLOADED}$`) }, ({ path }) => ({ path, namespace: AUTOLOADED }))
    onLoad({ filter: /^/, namespace: AUTOLOADED }, () => ({
      resolveDir: root,
      contents: paths.map((path, index) => `export * as m${index} from './${path}'`).join('\n')
    }))
  }
})

/**
 * A file for each plugin and each set of routes, where `@fastify/autoload` looks for it, with what it looks at.
 *
 * @param {string} root
 * @param {string} out
 * @param {string[]} paths
 */
const writeFacades = (root, out, paths) =>
  paths.map((path, index) => {
    const facade = `${out}/${withoutEnding(path)}.js`
    mkdirSync(dirname(join(root, facade)), { recursive: true })
    writeFileSync(
      join(root, facade),
      `import { m${index} as m } from '${upFrom(path)}${AUTOLOADED}.js'
export default m.default
export const { autoload, autoConfig, autoPrefix, prefixOverride } = m
`
    )
    return facade
  })

/** @param {string} path */
const upFrom = path => '../'.repeat(path.split('/').length - 1)

/**
 * Leaves packages that are loaded late to Node, which finds the names that a CommonJS module exports; a bundle of one
 * has only its default.
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

/**
 * Keeps what the sources were when they were read: they may be edited while they are built.
 *
 * @param {string} root
 * @param {Map<string, Buffer>} read
 * @returns {import('esbuild').Plugin}
 */
const noteSources = (root, read) => ({
  name: 'sources',
  setup: ({ onLoad }) => {
    onLoad({ filter: /\.ts$/, namespace: 'file' }, ({ path }) => {
      const contents = readFileSync(path)
      if (path !== join(root, 'paths.ts') && contents.includes('import.meta.url')) {
        return { errors: [{ text: `${path} asks where it is, which a bundle changes: take the path from paths.ts` }] }
      }
      read.set(path.slice(root.length).replaceAll('\\', '/'), contents)
      return { contents, loader: 'ts' }
    })
  }
})

// node build/build.js [<folder> <further file>…]
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [out, ...further] = process.argv.slice(2)
  const root = fileURLToPath(new URL('..', import.meta.url))
  await build(root, out, further)
  // What npm packs has types as well. Only a developer's installation can make them.
  if (out === undefined && entriesOf(root).exported.length > 0) {
    ;(await import('./types.js')).writeTypes(root, 'dist/types')
  }
}
