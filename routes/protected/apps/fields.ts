import type { FastifyReply } from 'fastify'
import type { XStatic } from 'typebox/schema'
import type { App, AppChange, TagKey } from '../../../domain/apps/app.ts'
import { isOutOfRange, MAX_DEPTH, RANGE_RULE, toJson } from '../../../domain/json/value.ts'
import { PRINTABLE } from '../../../domain/json/validation.ts'
import { credentialFaults, refuseCredentials } from '../../../domain/keys/token-shape.ts'
import { AppNotFound, InvalidFields } from '../../../domain/errors.ts'

const printable = { type: 'string', maxLength: 255, pattern: PRINTABLE } as const
const tagText = { ...printable, minLength: 1 } as const

const jsonObject = {
  type: ['object', 'null'],
  description: `Any JSON object, nested ${MAX_DEPTH} deep at most; null clears it.`
} as const

/** What may be written of an app. */
export const fields = {
  descriptive_name: {
    ...printable,
    minLength: 3,
    description: 'What people call the app; unique among the kept apps of the owner, and its case counts.',
    examples: ['Invoice Sync']
  },
  panels: { ...jsonObject, examples: [{ layout: 'grid' }] },
  schedule: { ...jsonObject, examples: [{ every: 'hour' }] }
} as const

export const TagBody = {
  type: 'object',
  required: ['context', 'name'],
  properties: {
    context: { ...tagText, description: 'What kind of tag it is.', examples: ['department'] },
    name: { ...tagText, description: 'The tag itself.', examples: ['finance'] }
  }
} as const

export const NameParams = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string', description: 'The name of the app: 14 hexadecimal digits.', examples: ['ba6811fb3e073d'] }
  }
} as const

export const locationHeader = {
  Location: { type: 'string', description: 'The path of the new app.', examples: ['/apps/ba6811fb3e073d'] }
}

interface Written {
  descriptive_name?: string
  panels?: object | null
  schedule?: object | null
}

/** What a body says of an app, with its objects as JSON text. Throws InvalidFields for objects that can't be stored. */
export const toChange = ({ descriptive_name: descriptiveName, panels, schedule }: Written): AppChange => {
  const faults = Object.entries({ panels, schedule })
    .filter(([, value]) => isOutOfRange(value))
    .map(([name]) => `${name} ${RANGE_RULE}`)
  faults.push(...credentialFaults({ descriptive_name: descriptiveName }))
  if (faults.length > 0) throw new InvalidFields(faults)
  return {
    ...(descriptiveName === undefined ? {} : { descriptiveName }),
    ...(panels === undefined ? {} : { panels: toJson(panels) }),
    ...(schedule === undefined ? {} : { schedule: toJson(schedule) })
  }
}

/** A descriptive name. Throws InvalidFields where it holds a credential. */
export const toName = (name: string): string => {
  refuseCredentials({ descriptive_name: name })
  return name
}

/** A tag as a body says it. Throws InvalidFields where it holds a credential. */
export const toTag = ({ context, name }: XStatic<typeof TagBody>): TagKey => {
  refuseCredentials({ context, name })
  return { context, name }
}

/** Answers an app. Throws AppNotFound where there is none. */
export const sendApp = (response: FastifyReply, app: App | null): FastifyReply => {
  if (app === null) throw new AppNotFound()
  if (response.statusCode === 201) response.header('location', `/apps/${app.name}`)
  return response.type('application/json; charset=utf-8').send(response.server.writeApp(app))
}
