import { join } from 'node:path'
import openapiTS, { astToString } from 'openapi-typescript'
import { test } from 'tap'
import ts from 'typescript'
import { root, world } from '../helper.ts'

const CLIENT = `
import createClient from 'openapi-fetch'
import type { paths } from './generated-api.js'

const client = createClient<paths>({ baseUrl: 'http://127.0.0.1:3000' })

const { data: apps, error } = await client.GET('/apps')
type Headers = paths['/apps']['get']['responses'][200]['headers']
export const next = ({ Link: link }: Headers): string | undefined => link
export const names: string[] | undefined = apps?.map(app => app.descriptive_name)
export const code: string | undefined = error?.code
export const isWrong: boolean = error?.code === 'INVALID_FIELDS' && error.fields?.[0]?.in === 'query'

const { data: audits } = await client.GET('/audits', { params: { query: { limit: 5 } } })
export const actions: string[] | undefined = audits?.map(({ action }) => action)

const { data: key } = await client.POST('/client_keys', { body: { name: 'a', scopes: ['apps:read'] } })
export const token: string | undefined = key?.key_access_token
`

/** Returns the TypeScript compiler's errors for files in memory, as if they were in this folder. */
const issues = (sources: Record<string, string>): string[] => {
  const files = new Map(Object.entries(sources).map(([name, text]) => [join(root, 'test', name), text]))
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    target: ts.ScriptTarget.ES2023,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext
  }
  const host = ts.createCompilerHost(options)
  const disk = { ...host }
  host.fileExists = path => files.has(path) || disk.fileExists(path)
  host.readFile = path => files.get(path) ?? disk.readFile(path)
  host.getSourceFile = (path, ...rest) => {
    const text = files.get(path)
    return text === undefined
      ? disk.getSourceFile(path, ...rest)
      : ts.createSourceFile(path, text, ts.ScriptTarget.ES2023)
  }
  const program = ts.createProgram([...files.keys()], options, host)
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}

test('an openapi-fetch client gets the list of apps as an array', async t => {
  const { call } = await world(t)
  const types = astToString(await openapiTS(JSON.stringify((await call('GET', '/docs/json')).json)))
  t.same(issues({ 'generated-api.ts': types, 'client.ts': CLIENT }), [])

  const misuse = "export const text: string | undefined = (await client.GET('/apps')).data"
  t.match(issues({ 'generated-api.ts': types, 'client.ts': `${CLIENT}\n${misuse}` }), [/not assignable to type/])

  const misspelt = "export const isMisspelt = error?.code === 'INVALID_FEILDS'"
  t.match(issues({ 'generated-api.ts': types, 'client.ts': `${CLIENT}\n${misspelt}` }), [/no overlap/])
})
