import type { ServerOptions } from 'node:http'

const KIB = 1024
const SECOND = 1000
const IDLE_TIMEOUT = 60 * SECOND

/** Requests with this many header lines or more are refused, because Node silently drops lines beyond this number. */
export const MAX_HEADER_LINES = 1000

/** The timeouts and size limits for requests. */
export const limits = {
  bodyLimit: 1024 * KIB,
  // The maximum time from the first to the last byte of a request.
  requestTimeout: 30 * SECOND,
  // Closes a connection after this time without traffic, for example if the client stops reading the response.
  connectionTimeout: IDLE_TIMEOUT,
  // The same limit for the time between two requests. It's one second shorter, because Node waits one second longer
  // than its Keep-Alive header specifies.
  keepAliveTimeout: IDLE_TIMEOUT - SECOND,
  http: {
    // http/request-form.ts refuses requests without a Host header instead, because Node's response would have no body.
    requireHostHeader: false,
    // Without this, Node silently drops duplicates of some headers, such as Host and Content-Type.
    joinDuplicateHeaders: true,
    maxHeaderSize: 16 * KIB,
    headersTimeout: 10 * SECOND,
    connectionsCheckingInterval: 5 * SECOND
  } satisfies ServerOptions
}
