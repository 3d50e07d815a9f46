import { redact } from './redaction.ts'

const MAX_LENGTH = 200

/** A `User-Agent` as it may be kept: no token, no control character, and no more than 200 characters of it. */
export const keptAgent = (agent: string | undefined): string | null =>
  agent === undefined ? null : redact(agent).replaceAll(/\p{C}/gu, '?').slice(0, MAX_LENGTH)
