import fp from 'fastify-plugin'
import { createAppWriter } from '../../http/representations/apps.ts'
import type { WriteApp } from '../../http/representations/apps.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Serializes an app as JSON, including its hosting settings. */
    writeApp: WriteApp
  }
}

export default fp(
  async fastify => {
    const { BASE_URL, DEFAULT_LOAD_BALANCER } = fastify.config
    fastify.decorate(
      'writeApp',
      createAppWriter({ domain: new URL(BASE_URL).host, loadBalancer: DEFAULT_LOAD_BALANCER })
    )
  },
  { name: 'app-writer', dependencies: ['config'] }
)
