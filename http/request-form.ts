import { isUtf8 } from 'node:buffer'
import type { FastifyRequest } from 'fastify'
import type { ProblemError } from './problems.ts'
import { canDecode } from '../net/url.ts'
import {
  AgentNotText,
  BadUrl,
  ExpectationFailed,
  HeadersTooLarge,
  HostNotClear,
  UnsupportedTransferCoding
} from './errors.ts'
import { mayLackHeaders } from './header-lines.ts'

/** Returns a problem if the request is malformed or ambiguous, or else undefined. Such requests are always refused. */
export const formProblem = (request: FastifyRequest): ProblemError | undefined => {
  if (mayLackHeaders(request)) return new HeadersTooLarge()
  const { url, raw } = request
  const { headers, httpVersion } = raw
  if (url.includes('%') && (url.includes('%00') || !canDecode(url))) return new BadUrl()
  if (!isHostClear(url, headers.host, httpVersion)) return new HostNotClear()
  const { expect, 'transfer-encoding': coding, 'user-agent': agent } = headers
  if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || httpVersion === '1.0')) {
    return new UnsupportedTransferCoding()
  }
  // In HTTP/1.0 requests, this header is ignored (RFC 9110, section 10.1.1).
  if (expect !== undefined && httpVersion === '1.1' && expect.toLowerCase() !== '100-continue') {
    return new ExpectationFailed()
  }
  return agent === undefined || isText(agent) ? undefined : new AgentNotText()
}

/**
 * Wraps a check to cache the last valid string. Clients often send the same string, and comparing is faster than
 * checking.
 */
const cacheLast = (isGood: (text: string) => boolean): ((text: string) => boolean) => {
  let last = ''
  return text => {
    if (text === last) return true
    if (!isGood(text)) return false
    last = text
    return true
  }
}

const isHost = cacheLast(text => !/[^!-~]|[,/\\?#@]/.test(text))

// Node decodes each byte of a header as one character.
const isText = cacheLast(text => !/[^ -~]/.test(text) || isUtf8(Buffer.from(text, 'latin1')))

const HOST_IN_URL = /^https?:\/\/([^/?#]*)/i

// HTTP/1.1 requires a Host header, and the host in an absolute URL takes precedence over it (RFC 9112, section 3.2).
const isHostClear = (url: string, host: string | undefined, httpVersion: string): boolean => {
  if (host === undefined ? httpVersion !== '1.0' : !isHost(host)) return false
  if (url.startsWith('/')) return true
  const named = HOST_IN_URL.exec(url)?.[1]
  return named === undefined || named.toLowerCase() === host?.toLowerCase()
}
