import type { Inspection } from '../../domain/keys/verdict/inspection.ts'
import { toKeyJson, toTokenJson } from './keys.ts'

const orNull = (schema: string, description: string) =>
  ({ anyOf: [{ $ref: `${schema}#` }, { type: 'null' }], description }) as const

export const InspectionJson = {
  $id: 'Inspection',
  type: 'object',
  required: ['well_formed', 'generation', 'secret', 'allowed', 'reason', 'key', 'token'],
  properties: {
    well_formed: {
      type: 'boolean',
      description: 'Whether the format and the checksum of the token are valid.',
      examples: [true]
    },
    generation: {
      type: ['string', 'null'],
      description: 'The generation in the token, or null if it has none.',
      examples: ['9f86d081']
    },
    secret: {
      type: ['string', 'null'],
      description: 'Whether that is the generation of the `current` or of a `previous` secret, or null if of neither.',
      examples: ['current']
    },
    allowed: { type: 'boolean', description: 'Whether the token is accepted.', examples: [false] },
    reason: {
      type: ['string', 'null'],
      description: 'The reason why the token is refused, or null if it is accepted.',
      examples: ['key_expired']
    },
    key: orNull('ClientKey', 'The key of the token, even if it is refused, or null if there is none.'),
    token: orNull('ClientKeyToken', 'The stored data of the token, or null if its key is unknown.')
  }
} as const

export const toInspectionJson = ({ wellFormed, generation, secret, allowed, reason, key, token }: Inspection) => ({
  well_formed: wellFormed,
  generation,
  secret,
  allowed,
  reason,
  key: key === null ? null : toKeyJson(key),
  token: token === null ? null : toTokenJson(token)
})
