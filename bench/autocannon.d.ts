// autocannon comes without types; these are the few that the bench uses.
declare module 'autocannon' {
  interface Options {
    url: string
    /** What each connection sends in turn, again and again. */
    requests: { headers: Record<string, string>; method?: 'PATCH'; path?: string; body?: string }[]
    connections: number
    /** Seconds. */
    duration: number
    maxOverallRequests?: number
    /** Milliseconds between looks at whether the run is over. */
    sampleInt: number
  }

  interface Result {
    '2xx': number
    non2xx: number
    errors: number
    /** Seconds. */
    duration: number
  }

  interface Run extends Promise<Result> {
    on: (event: 'start' | 'response', listener: () => void) => Run
  }

  export default function autocannon(options: Options): Run
}
