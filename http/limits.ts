import type { ServerOptions } from 'node:http'

const KIB = 1024
const SECOND = 1000
const IDLE_TIMEOUT = 60 * SECOND

/** A request with this many header lines is refused, because Node silently drops lines beyond `maxHeadersCount`. */
export const MAX_HEADER_LINES = 1000

/** The time-outs and the maximum sizes of requests. */
export const limits = {
  bodyLimit: 1024 * KIB,
  // The time from the first to the last byte of a request.
  requestTimeout: 30 * SECOND,
  // Closes a connection after this time without traffic, for example if the client stops reading the reply.
  connectionTimeout: IDLE_TIMEOUT,
  // The same time between two requests, because Node waits a second longer than its Keep-Alive header specifies.
  keepAliveTimeout: IDLE_TIMEOUT - SECOND,
  http: {
    // http/request-form.ts refuses requests without a Host header, because Node's reply would have no body.
    requireHostHeader: false,
    // Otherwise, Node silently drops the second of two lines with the same name, also of Host and Content-Type.
    joinDuplicateHeaders: true,
    maxHeaderSize: 16 * KIB,
    headersTimeout: 10 * SECOND,
    connectionsCheckingInterval: 5 * SECOND
  } satisfies ServerOptions
}
