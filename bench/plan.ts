/** How much is measured. Where it is used, every count has a bound in time beside it. */
export interface Plan {
  requestRounds: number
  requestsARound: number
  /** Rounds of requests that are thrown away. */
  warmUpRounds: number
  /** Rounds for each number of connections. */
  connectionRounds: number
  tokenRounds: number
  tokensARound: number
  /** How many of the peer's keys are verified a round: each takes it about a thousand times as long. */
  verifiesARound: number
  changeRounds: number
  changesARound: number
  issuingRounds: number
  /** How many different keys ask where memory is measured. */
  differentKeys: number
  streamRounds: number
  starts: number
  signInRounds: number
  /** How many keys a PostgreSQL database has; each is looked up at most once where nothing is to be remembered. */
  postgresKeys: number
  /** How many keys are revoked for each number of nodes. */
  revocations: number
  /** Rounds of audited changes, and how long each is. */
  auditRounds: number
  auditMs: number
  nodeRounds: number
}

// Many short rounds rather than a few long ones: what else the machine does then disturbs a round, not a side of a
// ratio.
export const full: Plan = {
  requestRounds: 80,
  requestsARound: 1_000,
  warmUpRounds: 10,
  connectionRounds: 25,
  tokenRounds: 20,
  tokensARound: 5_000,
  verifiesARound: 100,
  changeRounds: 10,
  changesARound: 50,
  issuingRounds: 20,
  differentKeys: 20_000,
  streamRounds: 5,
  starts: 11,
  signInRounds: 3,
  postgresKeys: 200_000,
  revocations: 500,
  auditRounds: 7,
  auditMs: 2000,
  nodeRounds: 20
}

export const quick: Plan = {
  requestRounds: 15,
  requestsARound: 1_000,
  warmUpRounds: 5,
  connectionRounds: 5,
  tokenRounds: 5,
  tokensARound: 3_000,
  verifiesARound: 50,
  changeRounds: 3,
  changesARound: 30,
  issuingRounds: 5,
  differentKeys: 20_000,
  streamRounds: 1,
  starts: 7,
  signInRounds: 1,
  postgresKeys: 60_000,
  revocations: 200,
  auditRounds: 3,
  auditMs: 1500,
  nodeRounds: 5
}
