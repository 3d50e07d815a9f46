import { withHarmlessExamples } from './harmless-examples.ts'
import type { Form } from './harmless-examples.ts'
import { EXAMPLE_REQUEST_ID, PROBLEM_MEDIA_TYPE } from './problems.ts'

interface Reply {
  headers?: Readonly<Record<string, object>>
  content?: Partial<Record<string, { examples?: object }>>
}

interface Operation extends Form {
  security?: { bearer?: string[] }[]
  responses: Record<string, object>
}

/** What of an OpenAPI document is looked at here. */
export interface ApiDocument {
  servers?: { url: string }[]
  paths: Record<string, Record<string, Operation>>
  components: Record<string, object>
}

const REQUEST_ID = 'X-Request-Id'

/** What every reply has, described once. */
const HEADERS = {
  [REQUEST_ID]: {
    description: 'The id of the request, by which the log and the audit trail name it.',
    schema: { type: 'string', examples: [EXAMPLE_REQUEST_ID] }
  }
}

const withRequestId = (reply: Reply): Reply => ({
  ...reply,
  headers: { ...reply.headers, [REQUEST_ID]: { $ref: `#/components/headers/${REQUEST_ID}` } }
})

/**
 * Prepares the document for readers. Each reply that is a problem document stands once, in `components`: written out at
 * every route, they would be four fifths of the document. What needs no credential comes first, as sign-in does, and no
 * example changes what exists.
 */
export const arrangeDocument = (document: ApiDocument): ApiDocument => {
  const responses: Record<string, object> = {}
  const share = (operation: Operation): Operation => ({
    ...operation,
    responses: Object.fromEntries(
      Object.entries(operation.responses).map(([status, reply]): [string, object] => {
        const name = sharedName(reply, operation)
        if (name === undefined) return [status, withRequestId(reply)]
        responses[name] = withRequestId(reply)
        return [status, { $ref: `#/components/responses/${name}` }]
      })
    )
  })
  const paths = Object.entries(document.paths)
    .map(([path, operations]): [string, Record<string, Operation>] => [
      path,
      Object.fromEntries(
        Object.entries(operations).map(([method, operation]) => [
          method,
          share(withHarmlessExamples(method, operation))
        ])
      )
    ])
    .toSorted(([, one], [, other]) => Number(needsCredential(one)) - Number(needsCredential(other)))
  return {
    ...document,
    paths: Object.fromEntries(paths),
    components: { ...document.components, responses, headers: HEADERS }
  }
}

const needsCredential = (operations: Record<string, Operation>): boolean =>
  Object.values(operations).some(({ security }) => security?.length !== 0)

// Named for the codes of its problems, and for the scope where a reply tells which one is lacking.
const sharedName = ({ content }: Reply, { security }: Operation): string | undefined => {
  const examples = content?.[PROBLEM_MEDIA_TYPE]?.examples
  if (examples === undefined) return undefined
  const scopes = security?.flatMap(({ bearer }) => bearer ?? []).map(scope => scope.replace(':', '.'))
  return Object.keys(examples)
    .toSorted()
    .map(code => (code === 'INSUFFICIENT_SCOPE' ? [pascalCase(code), scopes].flat().join('.') : pascalCase(code)))
    .join('_')
}

const pascalCase = (code: string): string =>
  code
    .split('_')
    .map(word => `${word.slice(0, 1)}${word.slice(1).toLowerCase()}`)
    .join('')
