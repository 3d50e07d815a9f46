// negotiator comes without types; this is what is used of it.
declare module 'negotiator' {
  import type { IncomingHttpHeaders } from 'node:http'

  export default class Negotiator {
    constructor(request: { readonly headers: IncomingHttpHeaders })
    /** The one of these media types that the client wants most (RFC 9110, section 12.5.1). */
    mediaType(available: readonly string[]): string | undefined
  }
}
