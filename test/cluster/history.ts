/** A change that allows or revokes a token. Its times are measured with the requester's clock. */
export interface Change {
  readonly begun: number
  /** The time of the acknowledgement, or Infinity if there was none and the outcome is unknown. */
  acknowledged: number
  /** Whether the token is accepted after the change. */
  readonly allows: boolean
}

/** A request with a token: the time of its response, the node that responded, and whether the token was accepted. */
export interface TokenRequest {
  readonly sent: number
  readonly replied: number
  readonly node: string
  readonly accepted: boolean
}

/** A token's history: its changes in order, and the requests that used it. */
export interface TokenHistory {
  readonly changes: readonly Change[]
  readonly requests: readonly TokenRequest[]
}

/**
 * Returns the requests whose responses contradict every possible state of the token. Changes that were acknowledged
 * before a request was sent apply to it. Changes that were requested before its response may apply.
 */
export const findViolations = ({ changes, requests }: TokenHistory): TokenRequest[] =>
  requests.filter(({ sent, replied, accepted }) => {
    const last = changes.findLastIndex(({ acknowledged }) => acknowledged < sent)
    const possible = changes.slice(Math.max(last, 0)).filter(({ begun }) => begun < replied)
    return !possible.some(({ allows }) => allows === accepted)
  })
