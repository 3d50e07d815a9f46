import type { FastifyInstance } from 'fastify'
import { ConfigError } from '../config/read.ts'
import { shownUrl } from '../net/database-url.ts'
import { createRangeCheck } from '../net/addresses.ts'

const isLoopback = createRangeCheck(['127.0.0.0/8', '::1'])

/**
 * Logs a warning if the database is marked as sample data. Throws a ConfigError if other machines could access it, at
 * `address` or through a proxy, unless `ALLOW_SAMPLE_DATA` is true.
 */
export const guardSampleData = (
  { config, log, storage }: Pick<FastifyInstance, 'config' | 'log' | 'storage'>,
  address: string
): void => {
  if (!storage.isSample) return
  const { ALLOW_SAMPLE_DATA, DATABASE_URL, HOST, TRUST_PROXY } = config
  const database = shownUrl(DATABASE_URL)
  const reasons = [
    ...(isLoopback(address) ? [] : [`HOST: ${HOST} is not a loopback address. Set it to 127.0.0.1.`]),
    ...(TRUST_PROXY.length === 0 ? [] : ['TRUST_PROXY: a proxy is configured. Set it to false.'])
  ]
  if (reasons.length > 0 && !ALLOW_SAMPLE_DATA) {
    throw new ConfigError(
      `DATABASE_URL: the database ${database} is marked as sample data, which only this machine may access:
${reasons.map(reason => `  ${reason}`).join('\n')}
Set DATABASE_URL to another database, or change these settings. Set ALLOW_SAMPLE_DATA=true to allow all access.`
    )
  }
  log.warn({ database }, 'the database is marked as sample data; do not use it in production')
}
