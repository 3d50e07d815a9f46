/** How much is measured. Where it is used, every count has a bound in time beside it. */
export interface Plan {
  requestRounds: number
  requestsARound: number
  tokenRounds: number
  tokensARound: number
  streamRounds: number
  starts: number
}

// Many short rounds rather than a few long ones: what else the machine does then disturbs a round, not a side of a ratio.
export const full: Plan = {
  requestRounds: 80, requestsARound: 1_000, tokenRounds: 20, tokensARound: 5_000, streamRounds: 5, starts: 11
}

export const quick: Plan = {
  requestRounds: 15, requestsARound: 1_000, tokenRounds: 5, tokensARound: 3_000, streamRounds: 1, starts: 7
}
