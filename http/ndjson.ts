/** The media type of JSON documents a line each. */
export const NDJSON = 'application/x-ndjson'
