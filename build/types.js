import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import ts from 'typescript'
import { EXPORTS, sourcesIn } from './stamp.js'

const SPECIFIER = /((?:from|import\(|import) ?['"])(\.[^'"]*)\.ts(['"])/g

/**
 * Writes the types of what other services import: the declarations of the files in `exports/`, and of those that they
 * refer to.
 *
 * @param {string} root
 * @param {string} out
 */
export const writeTypes = (root, out) => {
  const entries = sourcesIn(root, EXPORTS).map(path => join(root, path))
  const declarations = declarationsOf(root, entries)
  for (const path of reachable(declarations, entries)) {
    const target = join(root, out, relative(root, path)).replace(/\.ts$/, '.d.ts')
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, String(declarations.get(path)).replaceAll(SPECIFIER, '$1$2.js$3'))
  }
}

/**
 * The declaration of each source, by the path of the source.
 *
 * @param {string} root
 * @param {string[]} entries
 */
const declarationsOf = (root, entries) => {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), path => ts.sys.readFile(path))
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root)
  // The types are checked by npm run typecheck.
  const program = ts.createProgram(entries, {
    ...options,
    declaration: true,
    emitDeclarationOnly: true,
    noCheck: true,
    noEmitOnError: false,
    stripInternal: true
  })
  /** @type {Map<string, string>} */
  const declarations = new Map()
  program.emit(undefined, (_, text, _mark, _onError, sources) => {
    for (const { fileName } of sources ?? []) declarations.set(fileName, text)
  })
  return declarations
}

/**
 * The entries, and what they import, and what that imports.
 *
 * @param {Map<string, string>} declarations
 * @param {string[]} entries
 */
const reachable = (declarations, entries) => {
  const found = new Set(entries)
  for (const path of found) {
    for (const [, , specifier] of String(declarations.get(path)).matchAll(SPECIFIER)) {
      found.add(join(dirname(path), `${specifier}.ts`))
    }
  }
  return found
}
