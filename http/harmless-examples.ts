/** The parts of an operation that Swagger UI uses to prefill its form. */
export interface Form {
  parameters?: { in: string; schema?: { enum?: unknown[] }; example?: unknown }[]
  requestBody?: { content: Record<string, Media> }
}

interface Media {
  schema: { required?: string[]; properties?: Record<string, { examples?: unknown[] }> }
  example?: unknown
  examples?: object
}

/** An id that doesn't occur in practice. */
export const UNUSED_ID = 999_999_999

/**
 * Returns an operation with examples that do no harm if they're sent unchanged. In operations that change data, ids
 * refer to resources that don't exist. Bodies without required fields are empty, because users who fill in the id of an
 * existing resource may leave the body unchanged.
 */
export const withHarmlessExamples = <Operation extends Form>(method: string, operation: Operation): Operation => {
  if (method === 'get') return operation
  const { parameters, requestBody } = operation
  return {
    ...operation,
    ...(parameters === undefined ? {} : { parameters: parameters.map(withUnusedExample) }),
    ...(requestBody === undefined
      ? {}
      : {
          requestBody: {
            ...requestBody,
            content: Object.fromEntries(
              Object.entries(requestBody.content).map(([type, media]) => [type, withEmptyExample(media)])
            )
          }
        })
  }
}

type Parameter = NonNullable<Form['parameters']>[number]

const withUnusedExample = (parameter: Parameter): Parameter =>
  parameter.in === 'header' || parameter.schema?.enum !== undefined || parameter.example === undefined
    ? parameter
    : { ...parameter, example: unused(parameter.example) }

const unused = (example: unknown): unknown => {
  if (typeof example === 'number') return UNUSED_ID
  const text = String(example)
  return /^\d+$/.test(text) ? String(UNUSED_ID) : text.replaceAll(/[0-9a-f]/g, '0')
}

const withEmptyExample = (media: Media): Media => {
  const { schema, example, ...rest } = media
  const { required = [], properties = {} } = schema
  if (required.length > 0) return media
  const fields = Object.entries(properties).flatMap(([name, { examples }]): [string, unknown][] =>
    examples === undefined ? [] : [[name, examples[0]]]
  )
  const value: unknown = example ?? Object.fromEntries(fields)
  return {
    schema,
    ...rest,
    examples: {
      empty: { summary: 'No fields', value: {} },
      ...(fields.length === 0 ? {} : { fields: { summary: 'Fields', value } })
    }
  }
}
