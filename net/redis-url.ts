import { canDecode } from './url.ts'

const EXAMPLE = 'such as redis://localhost:6379 or rediss://user:password@redis.example.com:6380/1'

/**
 * Returns what is wrong with a `REDIS_URL`, or null if it's fine. The string completes a sentence and never contains
 * the URL.
 */
export const redisUrlIssue = (text: string): string | null => {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^rediss?:$/.test(url.protocol) || url.hostname === '') {
    return `must be a redis: or rediss: URL with a host, ${EXAMPLE}`
  }
  if (!canDecode(url.username) || !canDecode(url.password)) {
    return 'has a user name or password with invalid percent-encoding; write % itself as %25'
  }
  if (!/^\/?\d*$/.test(url.pathname)) return `must have a database number or nothing after the host, ${EXAMPLE}`
  const names = [...url.searchParams.keys()]
  if (names.some(name => name !== 'keyPrefix') || url.hash !== '') {
    return 'must not have a fragment, or a parameter other than keyPrefix, such as ?keyPrefix=staging:'
  }
  return names.length > 1 ? 'has the parameter keyPrefix more than once; keep one of its values' : null
}
