import type { FastifyReply } from 'fastify'
import type { ChangedKey } from '../../../domain/keys/freshness/receipt.ts'
import { toChangedJson } from '../../../http/representations/keys.ts'
import { reply } from '../../../http/replies.ts'

const location = {
  Location: {
    type: 'string',
    description: 'Where the receipt can be had later.',
    examples: ['/receipts/1042']
  }
}

/** The replies of a change: 200 with its receipt, or 202 where there is none yet. */
export const changedReplies = (description: string, schema = 'ChangedClientKey', headers?: object) => ({
  200: reply(description, schema, headers),
  202: reply(
    'The same, but the database was lost before it could be told whether every node obeys the change.',
    schema,
    { ...headers, ...location }
  )
})

/** Sends a key that was changed, and what else the reply has. */
export const sendChanged = async (response: FastifyReply, changed: ChangedKey, more: object = {}): Promise<unknown> => {
  if (changed.receipt === null) response.code(202).header('location', `/receipts/${changed.epoch}`)
  return await response.send({ ...toChangedJson(changed), ...more })
}
