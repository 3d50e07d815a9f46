import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders } from 'node:http'
import type { ProblemError } from './problems.ts'
import { BodyNotUtf8, UnsupportedCharset, UnsupportedContentCoding } from './errors.ts'

const CHARSETS = /;\s*charset\s*=\s*("?)([^";]*)\1/gi
const UTF_8 = ['utf-8', 'utf8', 'us-ascii']

/** Why a body of JSON can't be read as its bytes are; undefined: it can (RFC 8259, section 8.1). */
export const encodingProblem = (headers: IncomingHttpHeaders, body: Buffer): ProblemError | undefined => {
  const { 'content-type': type = '', 'content-encoding': coding = 'identity' } = headers
  if (coding.toLowerCase() !== 'identity') return new UnsupportedContentCoding()
  for (const [, , charset = ''] of type.matchAll(CHARSETS)) {
    if (!UTF_8.includes(charset.trim().toLowerCase())) return new UnsupportedCharset()
  }
  return isUtf8(body) ? undefined : new BodyNotUtf8()
}
