import { test } from 'tap'
import { redisUrlIssue } from '../../net/redis-url.ts'

test('a Redis URL has a scheme and a host, and may have a user, a password, a port, a database and a prefix', async t => {
  for (const url of [
    'redis://localhost',
    'redis://127.0.0.1:6379/',
    'rediss://user:p%40ss@redis.example.com:6380/15',
    'redis://:password@[::1]:6379/0?keyPrefix=staging:'
  ]) {
    t.equal(redisUrlIssue(url), null, url)
  }
})

test('errors about a Redis URL contain the reason, but not the URL', async t => {
  const scheme = /must be a redis: or rediss: URL with a host/
  const parameter = /a parameter other than keyPrefix/
  for (const [url, issue] of [
    ['localhost:6379', scheme],
    ['hunter2', scheme],
    ['https://hunter2@localhost', scheme],
    ['redis:', scheme],
    ['redis:///hunter2', scheme],
    ['redis://:hunter2%@localhost', /write % itself as %25/],
    ['redis://hunter2%zz@localhost', /write % itself as %25/],
    ['redis://localhost/hunter2', /a database number/],
    ['redis://localhost/1/2', /a database number/],
    ['redis://localhost?password=hunter2', parameter],
    ['redis://localhost?keyPrefix=a&enableOfflineQueue=hunter2', parameter],
    ['redis://localhost?keyPrefix=a&keyPrefix=hunter2', /has the parameter keyPrefix more than once/],
    ['redis://localhost#hunter2', parameter]
  ] as const) {
    t.match(redisUrlIssue(url), issue, url)
    t.notMatch(redisUrlIssue(url), 'hunter2', url)
  }
})
