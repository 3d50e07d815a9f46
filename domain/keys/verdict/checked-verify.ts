import type { Demand, Verdict, Verify } from './verifier.ts'

/** The same as `Verify`, of a token that may be missing. */
export type CheckedVerify = <R extends string = never>(
  token: string | undefined,
  demand: Demand<R>
) => Promise<Verdict<R>>

/** What a program without types may pass. */
type Unchecked = Readonly<Record<'scopes' | 'address' | 'userAgent' | 'refusal', unknown>>

const isOptionalText = (value: unknown): boolean => value === undefined || (typeof value === 'string' && value !== '')

const textOrNone = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/**
 * Creates a verification for programs without types: what is missing or misspelled accepts nothing, and nothing that is
 * not text is recorded. It rejects with a TypeError for scopes that the service doesn't have, and for a reason that is
 * no text.
 */
export const checkedVerify =
  (verify: Verify, scopes: readonly string[]): CheckedVerify =>
  async (token, demand) => {
    const { scopes: demanded, address, userAgent, refusal } = demand as Partial<Unchecked>
    if (!Array.isArray(demanded) || !demanded.every(scope => scopes.includes(String(scope)))) {
      throw new TypeError(`scopes must be an array of scopes of the service: ${scopes.join(', ')}`)
    }
    if (!isOptionalText(refusal)) throw new TypeError('refusal must be text, or left out')
    return await verify(textOrNone(token) ?? '', {
      ...demand,
      address: textOrNone(address),
      userAgent: textOrNone(userAgent)
    })
  }
