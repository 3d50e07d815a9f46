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

/** The parts of an OpenAPI document that `arrangeDocument` uses. */
export interface ApiDocument {
  servers?: { url: string }[]
  paths: Record<string, Record<string, Operation>>
  components: Record<string, object>
}

const REQUEST_ID = 'X-Request-Id'

/** The headers of every response. The document describes them only once. */
const HEADERS = {
  [REQUEST_ID]: {
    description: 'The id of the request in the log and in the audit trail.',
    schema: { type: 'string', examples: [EXAMPLE_REQUEST_ID] }
  }
}

const withRequestId = (reply: Reply): Reply => ({
  ...reply,
  headers: { ...reply.headers, [REQUEST_ID]: { $ref: `#/components/headers/${REQUEST_ID}` } }
})

/**
 * Arranges the OpenAPI document for readers. Moves problem responses to `components`, because repeating them for each
 * route would account for 80 % of the document. Puts paths that don't require a credential first, such as sign-in.
 * Replaces examples that would change existing data.
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

// The name consists of the problem codes, and the required scopes if one of the problems lists them.
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
