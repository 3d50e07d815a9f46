/** How the paths of requests are compared with those of routes: a slash at the end changes nothing. */
export const ROUTING = { ignoreTrailingSlash: true } as const
