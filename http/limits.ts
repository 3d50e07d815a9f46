import type { ServerOptions } from 'node:http'

const KIB = 1024
const SECOND = 1000
const SILENCE = 60 * SECOND

/** With this many header lines a request is refused: Node drops the lines beyond `maxHeadersCount` in silence. */
export const MAX_HEADER_LINES = 1000

/** How long the parts of a request may take, and how large they may be. */
export const limits = {
  bodyLimit: 1024 * KIB,
  // From the first byte of a request to its last.
  requestTimeout: 30 * SECOND,
  // How long a connection may be silent, in either direction: a client that stops reading is disconnected.
  connectionTimeout: SILENCE,
  // The same between two requests: Node adds a second to what it announces in Keep-Alive.
  keepAliveTimeout: SILENCE - SECOND,
  http: {
    // Node would reply 400 without a body: http/request-form.ts refuses the request.
    requireHostHeader: false,
    // Or Node would drop the second of two such lines in silence, of Host and Content-Type too.
    joinDuplicateHeaders: true,
    maxHeaderSize: 16 * KIB,
    headersTimeout: 10 * SECOND,
    connectionsCheckingInterval: 5 * SECOND
  } satisfies ServerOptions
}
