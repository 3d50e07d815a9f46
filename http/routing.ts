/** The options for all routers. A trailing slash in the path of a request is ignored. */
export const ROUTING = { ignoreTrailingSlash: true } as const
