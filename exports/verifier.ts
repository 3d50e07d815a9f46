// The package's entry point trivial-api/verifier. See docs/verifying.md.
export { createVerifier } from '../client/verifier/verifier.ts'
export type { VerifierOptions } from '../client/verifier/options.ts'
export { VerifierUnavailable } from '../client/verifier/errors.ts'
export { bearerToken } from '../client/verifier/bearer.ts'
export type * from '../domain/keys/verdict/remote.ts'
