/** The numbers of rounds and repetitions. */
export interface Plan {
  /** The number of rounds for each comparison. */
  requestRounds: number
  requestsPerRound: number
  /** The number of initial rounds whose results are discarded. */
  warmUpRounds: number
  tokenRounds: number
  tokensPerRound: number
  listRounds: number
  signInRounds: number
  starts: number
  /** The number of keys that are revoked for each number of nodes. */
  revocations: number
  /** The number of rounds of audited changes. */
  auditRounds: number
  /** The duration of each of these rounds, in milliseconds. */
  auditMs: number
}

// Many short rounds are better than a few long ones, because other load on the machine then affects both sides of a
// ratio.
export const full: Plan = {
  requestRounds: 50,
  requestsPerRound: 1_000,
  warmUpRounds: 10,
  tokenRounds: 20,
  tokensPerRound: 5_000,
  listRounds: 9,
  signInRounds: 3,
  starts: 11,
  revocations: 500,
  auditRounds: 7,
  auditMs: 2_000
}

export const quick: Plan = {
  requestRounds: 15,
  requestsPerRound: 1_000,
  warmUpRounds: 5,
  tokenRounds: 5,
  tokensPerRound: 3_000,
  listRounds: 5,
  signInRounds: 1,
  starts: 7,
  revocations: 200,
  auditRounds: 3,
  auditMs: 1_500
}
