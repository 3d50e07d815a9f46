import { suggestName } from '../../../domain/apps/name-suggestion.ts'
import type { Handler } from '../../../plugins/app/validation.ts'

const Suggestion = {
  description: 'A name.',
  type: 'object',
  required: ['suggestion'],
  properties: { suggestion: { type: 'string', examples: ['Divine Person'] } }
}

export const suggestSchema = {
  operationId: 'suggestAppName',
  summary: 'Suggest a descriptive name',
  description: 'An adjective and a noun, picked at random. The name is not reserved.',
  tags: ['Apps'],
  response: { 200: Suggestion }
}

export const suggestAppName: Handler<typeof suggestSchema> = async () => ({ suggestion: suggestName() })
