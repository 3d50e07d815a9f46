// The negotiator package has no types. Only the members used here are declared.
declare module 'negotiator' {
  import type { IncomingHttpHeaders } from 'node:http'

  export default class Negotiator {
    constructor(request: { readonly headers: IncomingHttpHeaders })
    /** Returns the media type that the client prefers (RFC 9110, section 12.5.1). */
    mediaType(available: readonly string[]): string | undefined
  }
}
