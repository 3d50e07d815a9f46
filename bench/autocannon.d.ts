// autocannon has no types. This file declares what the benchmarks use.
declare module 'autocannon' {
  interface Options {
    url: string
    /** The requests that each connection sends repeatedly, in this order. */
    requests: { headers: Record<string, string>; method?: 'PATCH'; path?: string; body?: string }[]
    connections: number
    /** The duration in seconds. */
    duration: number
    maxOverallRequests?: number
    /** The interval in milliseconds at which autocannon checks whether the run has ended. */
    sampleInt: number
  }

  interface Result {
    '2xx': number
    non2xx: number
    errors: number
    /** The duration in seconds. */
    duration: number
  }

  interface Run extends Promise<Result> {
    on: (event: 'start' | 'response', listener: () => void) => Run
  }

  export default function autocannon(options: Options): Run
}
