import { createError } from '@fastify/error'
import type { XStatic } from 'typebox/schema'

/** The media type of a problem document (RFC 9457). */
export const PROBLEM_MEDIA_TYPE = 'application/problem+json'

/** A problem document (RFC 9457), with the members `code` and `errors` beside the standard's. */
export const Problem = {
  $id: 'Problem',
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'errors'],
  properties: {
    type: {
      type: 'string',
      format: 'uri',
      description: 'Names the kind of problem; it is not meant to be fetched.',
      examples: ['tag:trivialapps.io,2026:problem/app-not-found']
    },
    title: { type: 'string', description: 'The kind of problem, for people.', examples: ['There is no such app'] },
    status: { type: 'integer', description: 'The status code of the reply.', examples: [404] },
    detail: {
      type: 'string',
      description: 'What happened and what to do.',
      examples: ['No app has this name, or it was deleted.']
    },
    code: {
      type: 'string',
      description: 'The kind of problem, for programs. Codes never change their meaning.',
      examples: ['APP_NOT_FOUND']
    },
    errors: {
      type: 'array',
      items: { type: 'string' },
      description: 'Each thing that is wrong, in a sentence of its own.',
      examples: [['No app has this name, or it was deleted.']]
    }
  }
} as const

export type Problem = XStatic<typeof Problem>

export interface ProblemKind {
  readonly code: string
  readonly status: number
  readonly title: string
  readonly detail: string
}

/** A failure with a reply of its own. `detail` and `errors` go to the client, so they must never hold what it sent. */
export interface ProblemError extends Error {
  readonly code: string
  readonly statusCode: number
  errors?: readonly string[]
}

export type ProblemClass = (new () => ProblemError) & { readonly kind: ProblemKind }

const titles: Record<string, string> = {}

/** Makes the error class of one kind of problem. */
export const defineProblem = (kind: ProblemKind): ProblemClass => {
  titles[kind.code] = kind.title
  return Object.assign(createError<[]>(kind.code, kind.detail, kind.status) as new () => ProblemError, { kind })
}

export const isProblem = (error: unknown): error is ProblemError =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code in titles

/** The document that a client gets for a failure. */
export const toDocument = (error: ProblemError): Problem => ({
  type: `tag:trivialapps.io,2026:problem/${error.code.toLowerCase().replaceAll('_', '-')}`,
  title: String(titles[error.code]),
  status: error.statusCode,
  detail: error.message,
  code: error.code,
  errors: [...(error.errors ?? [error.message])]
})
