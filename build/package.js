import { basename } from 'node:path'
import { build as bundle } from 'esbuild'

/**
 * Bundles what other services import, apart from the service, so that they load nothing of the rest. Packages stay
 * outside: npm installs them, and a service has its own Fastify.
 *
 * @param {string} root
 * @param {string} out
 * @param {string[]} paths
 * @param {import('esbuild').Plugin[]} plugins
 * @returns {Promise<{ inputs: string[], outputs: string[] }>}
 */
export const bundleExports = async (root, out, paths, plugins) => {
  if (paths.length === 0) return { inputs: [], outputs: [] }
  const { metafile } = await bundle({
    absWorkingDir: root,
    // Not in a folder of their own, since paths.ts may be in one of them.
    entryPoints: paths.map(path => ({ in: path, out: basename(path, '.ts') })),
    outdir: out,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    chunkNames: '[name]-[hash]',
    sourcemap: 'linked',
    sourcesContent: false,
    metafile: true,
    logLevel: 'warning',
    plugins
  })
  return { inputs: Object.keys(metafile.inputs), outputs: Object.keys(metafile.outputs) }
}
