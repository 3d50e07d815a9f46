/** How much is measured. */
export interface Plan {
  /** Rounds of requests for each comparison. */
  requestRounds: number
  requestsARound: number
  /** Rounds of requests that are thrown away. */
  warmUpRounds: number
  tokenRounds: number
  tokensARound: number
  listRounds: number
  signInRounds: number
  starts: number
  /** How many keys are revoked for each number of nodes. */
  revocations: number
  /** Rounds of audited changes, and how long each is. */
  auditRounds: number
  auditMs: number
}

// Many short rounds rather than a few long ones: what else the machine does then disturbs a round, not a side of a
// ratio.
export const full: Plan = {
  requestRounds: 50,
  requestsARound: 1_000,
  warmUpRounds: 10,
  tokenRounds: 20,
  tokensARound: 5_000,
  listRounds: 9,
  signInRounds: 3,
  starts: 11,
  revocations: 500,
  auditRounds: 7,
  auditMs: 2_000
}

export const quick: Plan = {
  requestRounds: 15,
  requestsARound: 1_000,
  warmUpRounds: 5,
  tokenRounds: 5,
  tokensARound: 3_000,
  listRounds: 5,
  signInRounds: 1,
  starts: 7,
  revocations: 200,
  auditRounds: 3,
  auditMs: 1_500
}
