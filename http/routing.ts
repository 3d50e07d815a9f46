/** The options for all routers. A trailing slash in a request's path is ignored. */
export const ROUTING = { ignoreTrailingSlash: true } as const
