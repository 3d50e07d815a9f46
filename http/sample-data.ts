import type { FastifyInstance } from 'fastify'
import { ConfigError } from '../config/read.ts'
import { shownUrl } from '../net/database-url.ts'
import { createRangeCheck } from '../net/addresses.ts'

const isLoopback = createRangeCheck(['127.0.0.0/8', '::1'])

/**
 * Writes a warning to the log if the database is marked as sample data. Throws a ConfigError if others than this
 * machine would reach it, at the address or through a proxy, unless `ALLOW_SAMPLE_DATA` is true.
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
    ...(TRUST_PROXY.length === 0 ? [] : ['TRUST_PROXY: it names a proxy in front. Set it to false.'])
  ]
  if (reasons.length > 0 && !ALLOW_SAMPLE_DATA) {
    throw new ConfigError(
      `DATABASE_URL: the database ${database} is marked as sample data, which is served to this machine only:
${reasons.map(reason => `  ${reason}`).join('\n')}
Set DATABASE_URL to a database of your own, or change these. ALLOW_SAMPLE_DATA=true serves the sample data anyway.`
    )
  }
  log.warn({ database }, 'the database is marked as sample data, which is not for production')
}
