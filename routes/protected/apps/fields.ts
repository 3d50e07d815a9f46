import type { FastifyReply } from 'fastify'
import type { XStatic } from 'typebox/schema'
import type { App, AppChange, TagKey } from '../../../domain/apps/app.ts'
import { isOutOfRange, MAX_DEPTH, RANGE_RULE, toJson } from '../../../domain/json/value.ts'
import { credentialIssues, refuseCredentials, tokenIssues } from '../../../domain/keys/token/shape.ts'
import { InvalidFields } from '../../../domain/errors.ts'
import { issuesOf } from '../../../domain/field-issue.ts'
import { locationHeader, setLocation } from '../../../http/links.ts'
import { reply } from '../../../http/replies.ts'
import { PRINTABLE } from '../../../domain/json/printable.ts'

const printable = { type: 'string', maxLength: 255, pattern: PRINTABLE } as const
const tagText = { ...printable, minLength: 1 } as const

const jsonObject = {
  type: ['object', 'null'],
  description: `Any JSON object with at most ${MAX_DEPTH} levels of nesting. Null clears the field.`
} as const

/** The writable fields of an app. */
export const fields = {
  descriptive_name: {
    ...printable,
    minLength: 3,
    description:
      "The display name of the app. It is case-sensitive, and unique among the owner's apps that are not deleted.",
    examples: ['Invoice Sync']
  },
  panels: { ...jsonObject, examples: [{ component: 'Dashboard', options: { apps: [] } }] },
  schedule: { ...jsonObject, examples: [{ every: 'hour' }] }
} as const

export const TagBody = {
  type: 'object',
  required: ['context', 'name'],
  properties: {
    context: { ...tagText, description: 'The category of the tag.', examples: ['department'] },
    name: { ...tagText, description: 'The name of the tag within its context.', examples: ['finance'] }
  }
} as const

export const NameParams = {
  type: 'object',
  required: ['name'],
  properties: {
    name: {
      type: 'string',
      description:
        'The name (14 hexadecimal digits) or the id of the app. A value of 14 decimal digits is interpreted as a ' +
        'name.',
      examples: ['ba6811fb3e073d']
    }
  }
} as const

/** The same parameter as in NameParams, for the paths in which Trivial's own clients send ids. */
export const AppParams = {
  type: 'object',
  required: ['id'],
  properties: {
    id: {
      type: 'string',
      description:
        'The id or the name (14 hexadecimal digits) of the app. A value of 14 decimal digits is interpreted as a ' +
        'name.',
      examples: ['1']
    }
  }
} as const

export const newAppReply = reply('The new app.', 'App', locationHeader('the new app', '/apps/ba6811fb3e073d'))

interface Written {
  descriptive_name?: string
  panels?: object | null
  schedule?: object | null
}

/**
 * Converts a body to an app change, which contains objects as JSON text. Throws InvalidFields if an object can't be
 * stored, or if the body contains a credential.
 */
export const toChange = ({ descriptive_name: descriptiveName, panels, schedule }: Written): AppChange => {
  const issues = Object.entries({ panels, schedule })
    .filter(([, value]) => isOutOfRange(value))
    .flatMap(([name]) => issuesOf(name, [`${name} ${RANGE_RULE}`]))
  const texts = {
    ...(panels === undefined ? {} : { panels: toJson(panels) }),
    ...(schedule === undefined ? {} : { schedule: toJson(schedule) })
  }
  issues.push(...credentialIssues({ descriptive_name: descriptiveName }), ...tokenIssues(texts))
  if (issues.length > 0) throw new InvalidFields({ issues })
  return { ...(descriptiveName === undefined ? {} : { descriptiveName }), ...texts }
}

/** Returns the tag in a body. Throws InvalidFields if it contains a credential. */
export const toTag = ({ context, name }: XStatic<typeof TagBody>): TagKey => {
  refuseCredentials({ context, name })
  return { context, name }
}

export const sendApp = (response: FastifyReply, app: App): FastifyReply =>
  response.type('application/json; charset=utf-8').send(response.server.writeApp(app))

/** Responds with a newly created app. */
export const sendNewApp = (response: FastifyReply, app: App): FastifyReply =>
  sendApp(setLocation(response.code(201), `/apps/${app.name}`), app)

/** Returns the id or name in a path. Names have 14 digits, which is more than any id has. */
export const toAppKey = (text: string): string | number => (/^[1-9]\d{0,12}$/.test(text) ? Number(text) : text)
