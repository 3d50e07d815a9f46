const SEALED = /^tck_/
const JWT = /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/

/** Whether a string has the outer shape of a JSON Web Token, as Trivial's own tokens are. Says nothing of its signature. */
export const looksLikeJwt = (text: string): boolean => JWT.test(text)

/** Whether a string was meant as a token of either kind, good or not. */
export const looksLikeToken = (text: string): boolean => SEALED.test(text) || looksLikeJwt(text)

/** Whether a token of either kind, or most of one, is somewhere in a text. */
export const holdsToken = (text: string): boolean => /tck_\w{40}|eyJ[\w-]*\.eyJ[\w-]*\.[\w-]+/.test(text)
