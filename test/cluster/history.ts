/** A change of what a token may do, by the clock of who asked for it. */
export interface Change {
  readonly begun: number
  /** When it was acknowledged; Infinity: it was not, and may have been made or not. */
  acknowledged: number
  /** Whether the token is let in from then on. */
  readonly allows: boolean
}

/** A request with a token: when it was sent and answered, by whom, and whether it got in. */
export interface Asked {
  readonly sent: number
  readonly answered: number
  readonly node: string
  readonly accepted: boolean
}

/** The history of a token: its changes, one after another, and the requests with it. */
export interface TokenHistory {
  readonly changes: readonly Change[]
  readonly requests: readonly Asked[]
}

/**
 * The requests that were answered as no state allows in which the token may have been. It knows nothing but times and
 * answers: a request obeys what was acknowledged before it was sent, and may obey what was asked for before its answer.
 */
export const violationsOf = ({ changes, requests }: TokenHistory): Asked[] =>
  requests.filter(({ sent, answered, accepted }) => {
    const last = changes.findLastIndex(({ acknowledged }) => acknowledged < sent)
    const possible = changes.slice(Math.max(last, 0)).filter(({ begun }) => begun < answered)
    return !possible.some(({ allows }) => allows === accepted)
  })
