import { canDecode } from './url.ts'

const EXAMPLE = 'such as redis://localhost:6379 or rediss://user:password@redis.example.com:6380/1'

/** What is wrong with the URL of a Redis, as the end of a sentence that never repeats it; null: nothing is. */
export const redisUrlIssue = (text: string): string | null => {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^rediss?:$/.test(url.protocol) || url.hostname === '') {
    return `must be a redis: or rediss: URL with a host, ${EXAMPLE}`
  }
  if (!canDecode(url.username) || !canDecode(url.password)) {
    return 'has a user or a password with a % that encodes nothing; write % itself as %25'
  }
  if (!/^\/?\d*$/.test(url.pathname)) return `must have the number of a database after the host, or nothing, ${EXAMPLE}`
  const isKnown = [...url.searchParams.keys()].every(name => name === 'keyPrefix') && url.hash === ''
  return isKnown ? null : 'may have one parameter, keyPrefix, such as ?keyPrefix=staging:, and no fragment'
}
