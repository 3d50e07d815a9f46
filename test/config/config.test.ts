import { fileURLToPath } from 'node:url'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Fastify from 'fastify'
import { test } from 'tap'
import { createServer } from '../../app.ts'
import { asConfigError, ConfigError, environment, readConfig } from '../../config/read.ts'
import { textOf, UserError } from '../../config/user-error.ts'
import config from '../../plugins/external/config.ts'
import { newSecret, run, temporaryFolder } from '../helper.ts'

const CLIENT_SECRET = newSecret()

const issue = (env: Record<string, string>): string => {
  try {
    readConfig({ CLIENT_SECRET, ...env })
    return ''
  } catch (error) {
    return error instanceof ConfigError ? error.message : `not a ConfigError: ${String(error)}`
  }
}

test('every option except the secret has a default', async t => {
  t.same(readConfig({ CLIENT_SECRET, UNRELATED: 'x' }), {
    CLIENT_SECRET,
    CLIENT_SECRET_PREVIOUS: [],
    ALLOW_NEW_SECRET: false,
    CLIENT_KEYS: [],
    CLIENT_KEY_JWT: false,
    DATABASE_URL: 'file:./data/trivial.db',
    DATABASE_CA: '',
    DATABASE_LISTEN_URL: '',
    DATABASE_POOL_SIZE: 10,
    KEY_LEASE_MS: 2000,
    NODE_NAME: '',
    ALLOW_COPIED_DATABASE: false,
    ALLOW_SAMPLE_DATA: false,
    REDIS_URL: '',
    HOST: '127.0.0.1',
    PORT: 3000,
    METRICS_HOST: '127.0.0.1',
    METRICS_PORT: null,
    OTEL_EXPORTER_OTLP_ENDPOINT: '',
    OTEL_SERVICE_NAME: 'trivial-api',
    LOG_LEVEL: 'info',
    TRUST_PROXY: [],
    PUBLIC_URL: '',
    BASE_URL: 'https://staging.trivialapps.io',
    DEFAULT_LOAD_BALANCER: 'staging-lb',
    SIGN_UP: 'open',
    CORS_ORIGINS: []
  })
})

test('valid values are accepted', async t => {
  for (const env of [
    { REDIS_URL: 'rediss://user:password@redis.example.com:6380/1?keyPrefix=staging:' },
    { CLIENT_SECRET_PREVIOUS: ` ${newSecret()}, ,${newSecret()}` },
    { CLIENT_KEYS: `xxx, another-key,, sha256:${'aB'.repeat(32)} ` },
    { CLIENT_KEY_JWT: 'true' },
    { ALLOW_COPIED_DATABASE: 'true' },
    { ALLOW_SAMPLE_DATA: 'true' },
    { ALLOW_NEW_SECRET: 'true' },
    { PORT: '0' },
    { PORT: ' 65535 ' },
    { METRICS_PORT: '0' },
    { METRICS_PORT: '9464' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' },
    { TRUST_PROXY: '10.0.0.1, 10.0.0.0/8, ::1, fd00::/8, fc00::/7' },
    { DATABASE_URL: 'file:/var/lib/trivial/apps.db' },
    { DATABASE_URL: 'file:./~/trivial.db' },
    { DATABASE_URL: 'postgres:///trivial?host=/run/postgresql' },
    { DATABASE_URL: 'postgres://ada@/trivial?sslmode=disable&host=/run/postgresql' },
    { DATABASE_URL: 'postgres://localhost/x' },
    { DATABASE_URL: 'postgres://h/x?host=/run&port=5433&user=ada&password=x&sslmode=verify-full&options=-c%20a%3Db' },
    { DATABASE_URL: 'postgres://h/x?sslcert=/c.pem&sslkey=/k.pem&sslrootcert=/ca.pem' },
    { DATABASE_URL: 'file:///tmp/x.db' },
    { DATABASE_URL: 'postgresql://trivial:p%40ss@db.example.com:5433/trivial?sslmode=verify-full' },
    { DATABASE_LISTEN_URL: 'postgres://localhost/x' },
    { DATABASE_CA: fileURLToPath(import.meta.url) },
    { KEY_LEASE_MS: '0' },
    { NODE_NAME: 'api-1 (Zürich)' },
    { BASE_URL: 'http://localhost:8080/x' },
    { PUBLIC_URL: 'https://example.com/keys' },
    { SIGN_UP: 'closed' },
    { CORS_ORIGINS: 'https://app.example.com, http://localhost:5173' },
    { LOG_LEVEL: 'trace' }
  ] as Record<string, string>[]) {
    t.equal(issue(env), '', JSON.stringify(env))
  }
})

test('each invalid value is reported with its name, the reason and the fix', async t => {
  const token = `tck_${'0'.repeat(72)}`
  const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJrZXlfaWQiOiJ4In0.xyz'
  for (const [env, words] of [
    [
      { REDIS_URL: 'redis://:hunter2%@localhost' },
      /REDIS_URL has a user name or password with invalid percent-encoding/
    ],
    [{ CLIENT_SECRET: '' }, /CLIENT_SECRET must have at least 32 characters.*openssl rand -hex 32/],
    [{ CLIENT_SECRET: 'x'.repeat(31) }, /CLIENT_SECRET must have at least 32 characters/],
    [{ CLIENT_SECRET: 'x'.repeat(64) }, /CLIENT_SECRET consists of one repeated character.*openssl rand -hex 32/],
    [{ CLIENT_SECRET: `${newSecret()},${newSecret()}` }, /CLIENT_SECRET must not contain commas/],
    [{ CLIENT_SECRET: ` ${newSecret()}` }, /CLIENT_SECRET must not contain commas, or begin or end with whitespace/],
    [
      { CLIENT_SECRET_PREVIOUS: `${newSecret()},short` },
      /CLIENT_SECRET_PREVIOUS entry 2 must have at least 32 characters/
    ],
    [{ CLIENT_KEYS: `xxx,${token}` }, /CLIENT_KEYS entry 2 looks like a key_access_token; use the key_id instead/],
    [{ CLIENT_KEYS: jwt }, /CLIENT_KEYS entry 1 looks like a key_access_token/],
    [
      { CLIENT_KEYS: 'sha256:abc' },
      /CLIENT_KEYS entry 1 starts with sha256: but is not followed by 64 hexadecimal digits/
    ],
    [{ ALLOW_NEW_SECRET: 'once' }, /ALLOW_NEW_SECRET must be true or false/],
    [{ CLIENT_KEY_JWT: 'yes' }, /CLIENT_KEY_JWT must be true or false/],
    [{ ALLOW_COPIED_DATABASE: 'yes' }, /ALLOW_COPIED_DATABASE must be true or false/],
    [{ ALLOW_SAMPLE_DATA: 'yes' }, /ALLOW_SAMPLE_DATA must be true or false/],
    [{ DATABASE_URL: 'mysql://localhost/x' }, /DATABASE_URL must be file: followed by the path .* or a postgres: URL/],
    [
      { DATABASE_URL: 'file:~/trivial.db' },
      /DATABASE_URL must contain the full path, .*: ~ and variables are not expanded here/
    ],
    [{ DATABASE_URL: 'file:$HOME/trivial.db' }, /DATABASE_URL must contain the full path/],
    [{ DATABASE_URL: 'file:$' + '{HOME}/trivial.db' }, /DATABASE_URL must contain the full path/],
    [{ DATABASE_URL: 'file:%USERPROFILE%/trivial.db' }, /DATABASE_URL must contain the full path/],
    [{ DATABASE_URL: 'file://localhost/tmp/x.db' }, /DATABASE_URL must not contain a host: write file:/],
    [{ DATABASE_URL: 'file://tmp/x.db' }, /DATABASE_URL must not contain a host/],
    ...[
      '?sslmod=require',
      '?SSLMODE=verify-full',
      '?sslmode=require&channel_binding=require',
      '?pgbouncer=true',
      '?sslmode=require&amp;host=x',
      '?dbname=x',
      '?application_name=x',
      '?=require'
    ].map((query): [Record<string, string>, RegExp] => [
      { DATABASE_URL: `postgres://localhost/x${query}` },
      /DATABASE_URL has an unknown parameter; known parameters are host, port, .*, sslmode, .*, options$/
    ]),
    ...['?sslmode=require&sslmode=disable', '?host=/x&host=/y', '?sslmode=require&%73slmode=require'].map(
      (query): [Record<string, string>, RegExp] => [
        { DATABASE_LISTEN_URL: `postgres://localhost/x${query}` },
        /DATABASE_LISTEN_URL has a parameter more than once; keep one of its values$/
      ]
    ),
    [{ DATABASE_URL: 'postgres://localhost/x#?sslmode=require' }, /DATABASE_URL must not contain #; write # itself/],
    [{ DATABASE_URL: 'postgres://localhost/x?sslmode=' }, /DATABASE_URL must set sslmode to one of these values/],
    [{ DATABASE_URL: 'postgres://localhost/x?port=0x10' }, /DATABASE_URL must have a port from 1 to 65535/],
    [{ DATABASE_URL: 'postgres://localhost/x?port=65536' }, /DATABASE_URL must have a port from 1 to 65535/],
    [{ DATABASE_URL: 'postgres://ada@/trivial' }, /DATABASE_URL must be a postgres: URL/],
    [{ DATABASE_URL: 'postgres:///?host=/run/postgresql' }, /DATABASE_URL must contain a host and a database/],
    [{ DATABASE_URL: 'postgres://localhost' }, /DATABASE_URL must contain a host and a database/],
    [{ DATABASE_URL: 'postgres:///x' }, /DATABASE_URL must contain a host and a database/],
    [{ DATABASE_URL: 'postgres://localhost:99999/x' }, /DATABASE_URL must be a postgres: URL/],
    [
      { DATABASE_URL: 'postgres://localhost/x?sslmode=prefer' },
      /DATABASE_URL must set sslmode to one of these values: disable/
    ],
    [{ DATABASE_LISTEN_URL: 'file:./x' }, /DATABASE_LISTEN_URL must be a postgres: URL/],
    [{ DATABASE_CA: '/nowhere/at/all.pem' }, /DATABASE_CA must be the path to a readable file with PEM certificates/],
    [{ DATABASE_POOL_SIZE: '0' }, /DATABASE_POOL_SIZE must be a number of connections from 1 to 1000/],
    [{ KEY_LEASE_MS: '60001' }, /KEY_LEASE_MS must be a number of milliseconds from 0 to 60000/],
    [{ NODE_NAME: 'a\nb' }, /NODE_NAME must have at most 100 printable characters/],
    [{ DATABASE_URL: 'file:' }, /DATABASE_URL must be file:/],
    [{ DATABASE_URL: 'file:./data/' }, /DATABASE_URL must be file:/],
    [{ DATABASE_URL: 'file::memory:' }, /DATABASE_URL must specify a file, because an in-memory database/],
    [{ PORT: 'http' }, /PORT must be a port number from 0 to 65535/],
    [{ PORT: '65536' }, /PORT must be a port number/],
    [{ PORT: '-1' }, /PORT must be a port number/],
    [{ PORT: '1e999' }, /PORT must be a port number/],
    [{ PORT: '3000.5' }, /PORT must be a port number/],
    ...['0x10', '+1', '3e3', '0b1', '080', '1_0', '3000.0', '٣'].map((port): [Record<string, string>, RegExp] => [
      { PORT: port },
      /PORT must be a port number from 0 to 65535/
    ]),
    [{ METRICS_PORT: '0x2500' }, /METRICS_PORT must be a port number/],
    [{ DATABASE_POOL_SIZE: '1e1' }, /DATABASE_POOL_SIZE must be a number of connections/],
    [{ KEY_LEASE_MS: '2e3' }, /KEY_LEASE_MS must be a number of milliseconds/],
    [{ METRICS_PORT: 'yes' }, /METRICS_PORT must be a port number from 0 to 65535/],
    [{ METRICS_PORT: '65536' }, /METRICS_PORT must be a port number/],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4318' }, /OTEL_EXPORTER_OTLP_ENDPOINT must be an http: or https: URL/],
    [{ LOG_LEVEL: 'loud' }, /LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent/],
    [{ SIGN_UP: 'maybe' }, /SIGN_UP must be open or closed/],
    [{ CORS_ORIGINS: 'https://app.example.com, https://app.example.com/x' }, /CORS_ORIGINS entry 2 is not an origin/],
    [{ CORS_ORIGINS: 'https://*.example.com' }, /CORS_ORIGINS entry 1 is not an origin/],
    [{ CORS_ORIGINS: 'null' }, /CORS_ORIGINS entry 1 is not an origin/],
    [{ TRUST_PROXY: 'true' }, /TRUST_PROXY must not be true; list the addresses of your proxies/],
    [{ TRUST_PROXY: '10.0.0.1, proxy.local' }, /TRUST_PROXY entry 2 is not an IP address or CIDR range/],
    [{ TRUST_PROXY: '10.0.0.1/33' }, /TRUST_PROXY entry 1 is not an IP address/],
    [{ TRUST_PROXY: '10.0.0.1/8/8' }, /TRUST_PROXY entry 1 is not an IP address/],
    [{ TRUST_PROXY: '1' }, /TRUST_PROXY entry 1 is not an IP address/],
    [{ TRUST_PROXY: '0.0.0.0/0' }, /TRUST_PROXY entry 1 trusts too many addresses/],
    [{ TRUST_PROXY: '10.0.0.1/8' }, /TRUST_PROXY entry 1 has host bits: write 10.0.0.0\/8 for the range/],
    [{ TRUST_PROXY: '::ffff:10.0.0.0/104' }, /TRUST_PROXY entry 1 is an IPv4 range written as IPv6/],
    [{ TRUST_PROXY: '::/0' }, /TRUST_PROXY entry 1 trusts too many addresses/],
    [{ TRUST_PROXY: '0.0.0.0/1,128.0.0.0/1' }, /TRUST_PROXY entry 1 trusts .* \/7 for IPv6; entry 2 trusts too many/],
    [{ TRUST_PROXY: '127.0.0.1,10.0.0.0/7' }, /TRUST_PROXY entry 2 trusts too many addresses/],
    [{ TRUST_PROXY: 'fc00::/6' }, /TRUST_PROXY entry 1 trusts too many addresses/],
    ...[
      'example.com/keys',
      '/keys',
      'ftp://example.com/keys',
      'https:example.com',
      'https://',
      'https://example.com:99999/keys',
      'https://example.com/keys?x=1',
      'https://example.com/keys#top',
      'https://example.com/a key',
      'https://ada@example.com/keys',
      'https://:hunter2@example.com/keys',
      'https://example.com\\keys'
    ].map((url): [Record<string, string>, RegExp] => [
      { PUBLIC_URL: url },
      /PUBLIC_URL must be an http: or https: URL without a query, a fragment or a user, such as/
    ]),
    [{ BASE_URL: 'staging.trivialapps.io' }, /BASE_URL must be an http: or https: URL/],
    [{ BASE_URL: 'ftp://x' }, /BASE_URL must be an http: or https: URL/]
  ] as [Record<string, string>, RegExp][]) {
    const message = issue(env)
    t.match(message, words, JSON.stringify(env))
    for (const value of Object.values(env)) if (value.length > 20) t.notMatch(message, value, 'no value is repeated')
  }
})

test('PUBLIC_URL is normalized', async t => {
  for (const [url, normalized] of [
    ['https://example.com', 'https://example.com'],
    ['https://example.com/', 'https://example.com'],
    ['HTTPS://Example.COM:443/keys//', 'https://example.com/keys'],
    ['http://127.0.0.1:8080/a/./b/../keys/', 'http://127.0.0.1:8080/a/keys'],
    ['https://exämple.com/schl<ü>ssel', 'https://xn--exmple-cua.com/schl%3C%C3%BC%3Essel']
  ]) {
    t.equal(readConfig({ CLIENT_SECRET, PUBLIC_URL: String(url) }).PUBLIC_URL, normalized)
  }
})

test('all invalid variables are reported in one message', async t => {
  const message = issue({
    CLIENT_SECRET: 'x',
    CLIENT_KEYS: 'tck_x',
    PORT: 'x',
    TRUST_PROXY: 'true',
    BASE_URL: 'x',
    LOG_LEVEL: 'x',
    CLIENT_KEY_JWT: 'x'
  })
  for (const name of [
    'CLIENT_SECRET',
    'CLIENT_KEYS',
    'PORT',
    'TRUST_PROXY',
    'BASE_URL',
    'LOG_LEVEL',
    'CLIENT_KEY_JWT'
  ]) {
    t.match(message, `\n  ${name} `)
  }
})

test('blank values count as missing, and the environment takes precedence over the file', async t => {
  const dotenv = join(temporaryFolder(t), '.env')
  writeFileSync(dotenv, '\uFEFFPORT=4000\nHOST="::1"\nLOG_LEVEL=\n# a comment\nBASE_URL=http://file.example\n')
  t.same(environment(dotenv, { PORT: ' ', BASE_URL: 'http://process.example', UNSET: undefined }), {
    HOST: '::1',
    BASE_URL: 'http://process.example'
  })
  t.same(environment(`${dotenv}.none`, {}), {})
  t.throws(() => environment(join(dotenv, '..'), {}), ConfigError, 'a folder is not a file')
})

/** Returns the error for a `.env` file with this content, or an empty string if the file is accepted. */
const refusalOf = (dotenv: string, content: string | Buffer, env: Record<string, string> = {}): string => {
  writeFileSync(dotenv, content)
  try {
    environment(dotenv, env)
    return ''
  } catch (error) {
    return error instanceof UserError ? textOf(error) : `not a UserError: ${String(error)}`
  }
}

test('the error about a variable that .env sets more than once contains the line numbers, but not the values', async t => {
  const dotenv = join(temporaryFolder(t), '.env')
  const refusal = (text: string): string => refusalOf(dotenv, text)
  const begin = `${dotenv} sets a variable more than once. Keep only one line for each variable:`
  t.equal(refusal('PORT=1\nHOST=a\nPORT=2\n'), `${begin}\n  PORT is set on lines 1 and 3`)
  t.equal(
    refusal('\uFEFF# PORT=0\r\nPORT=\r\n  export PORT = 1\r\nHOST=a\r\nPORT=2\r\nHOST=b'),
    `${begin}\n  PORT is set on lines 2, 3 and 5\n  HOST is set on lines 4 and 6`
  )
  t.equal(
    refusal("NOTE='\nPORT=1\nPORT=2'\nPORT=3\nnothing here\n"),
    '',
    'a line inside a quoted value does not set a variable'
  )
})

test('invalid UTF-8 is rejected in .env and in the environment, and no value is repeated', async t => {
  const dotenv = join(temporaryFolder(t), '.env')
  const refusal = (bytes: Buffer, env?: Record<string, string>): string => refusalOf(dotenv, bytes, env)
  const notUtf8 = `${dotenv} contains bytes that aren't UTF-8, so it can't be read. Save it as UTF-8.`
  const utf16 = `${dotenv} is encoded in UTF-16, which is the default of PowerShell, instead of UTF-8. Save it as UTF-8`
  t.equal(refusal(Buffer.from('# caf\xe9\nPORT=1\n', 'latin1')), notUtf8)
  for (const mark of ['\ufeff', '']) t.match(refusal(Buffer.from(`${mark}PORT=1\n`, 'utf16le')), utf16)
  t.equal(refusal(Buffer.from('\ufeff# café 𝕏\nPORT=1\n')), '')
  // Node.js replaces each invalid byte of an environment variable with U+FFFD.
  const mangled = { CLIENT_SECRET: 'caf\ufffd', NODE_NAME: '\ufffd', SOMETHING_ELSE: '\ufffd', PORT: '1' }
  t.equal(
    refusal(Buffer.from('BASE_URL=http://caf\ufffd\n'), mangled),
    "The configuration can't be used. Set these variables to UTF-8 text:\n  CLIENT_SECRET\n  NODE_NAME\n  BASE_URL"
  )
  t.equal(refusal(Buffer.from('NODE_NAME=caf\ufffd\n'), { NODE_NAME: 'café' }), '', 'the environment takes precedence')
})

test('errors explain values that well-known platforms set', async t => {
  for (const [env, words] of [
    [{ METRICS_PORT: 'tcp://10.96.0.7:9464' }, 'METRICS_PORT contains the URL that Kubernetes sets for a Service'],
    [{ METRICS_PORT: '"9464"' }, 'METRICS_PORT has quotes around its value, which docker --env-file keeps'],
    [{ CLIENT_SECRET: `"${newSecret()}"` }, 'CLIENT_SECRET has quotes'],
    [{ CLIENT_KEYS: "'xxx,another-key'" }, 'CLIENT_KEYS has quotes'],
    [{ NODE_NAME: '`api-1`' }, 'NODE_NAME has quotes'],
    [{ HOST: 'x86_64-conda-linux-gnu' }, 'HOST contains a compiler target, which conda sets'],
    [{ HOST: 'x86_64-conda_cos6-linux-gnu' }, 'HOST contains a compiler target'],
    [{ HOST: 'aarch64-conda-linux-gnu' }, 'HOST contains a compiler target'],
    [{ HOST: 'x86_64-apple-darwin13.4.0' }, 'HOST contains a compiler target'],
    [{ HOST: 'arm64-apple-darwin20.0.0' }, 'HOST contains a compiler target']
  ] as [Record<string, string>, string][]) {
    const message = issue(env)
    t.equal(message.split('\n').length, 2, 'the variable has one line')
    t.match(message, words)
    await t.rejects(createServer({ CLIENT_SECRET, ...env }), { name: 'ConfigError', message })
  }
  t.equal(issue({ NODE_NAME: '"' }), '')
  t.equal(issue({ NODE_NAME: 'x86_64-builder' }), '')
  for (const host of ['arm64-box', 'x86_64-linux', 'aarch64-conda', 'arm64-apple-darwin.local']) {
    t.equal(issue({ HOST: host }), '', `${host} is a host name`)
  }
})

test('a command ignores invalid values of variables that it does not use', async t => {
  const env = { CLIENT_SECRET, PORT: '0x10', METRICS_PORT: '"9464"', HOST: 'x86_64-conda-linux-gnu' }
  t.same(readConfig(env, ['CLIENT_SECRET']), { CLIENT_SECRET })
  t.throws(() => readConfig(env, ['CLIENT_SECRET', 'HOST']), /HOST contains a compiler target/)
})

test('a # that would truncate a secret in .env is rejected, and the error names the variable but does not show its value', async t => {
  const dotenv = join(temporaryFolder(t), '.env')
  const refusal = (text: string): string => refusalOf(dotenv, text)
  const begin = `${dotenv} contains a # in the value of a secret. Quote the value, or move the comment to its own line:`
  t.equal(refusal('CLIENT_SECRET=abc#def\n'), `${begin}\n  CLIENT_SECRET`)
  t.equal(
    refusal('PORT=1\nexport REDIS_URL = redis://:a#b@h # comment\nDATABASE_URL=postgres://u:p#w@h/d'),
    `${begin}\n  DATABASE_URL\n  REDIS_URL`
  )
  t.equal(refusal('CLIENT_SECRET=abc # the secret\n'), `${begin}\n  CLIENT_SECRET`)
  for (const text of [
    '# CLIENT_SECRET=abc#def\n',
    'CLIENT_SECRET="abc#def" # a comment\n',
    "CLIENT_SECRET='abc#def'\n",
    'PORT=3000 # a comment\nCLIENT_SECRET=abc\n',
    'NOTE="\nCLIENT_SECRET=a#b\n"\n'
  ]) {
    t.equal(refusal(text), '', text)
  }
})

test('the service rejects an invalid configuration, as commands do', async t => {
  await t.rejects(createServer({ PORT: 'x' }), {
    name: 'ConfigError',
    message: /CLIENT_SECRET is not set.*\n.*PORT must be/
  })
})

test("a service that can't open its database is not created", async t => {
  const file = join(temporaryFolder(t), 'a file')
  writeFileSync(file, '')
  await t.rejects(createServer({ CLIENT_SECRET, LOG_LEVEL: 'silent', DATABASE_URL: `file:${join(file, 'x.db')}` }), {
    name: 'ConfigError',
    message: /^DATABASE_URL: the database .* can't be opened/
  })
  await t.rejects(createServer({ CLIENT_SECRET, PORT: 'x' }), { name: 'ConfigError', message: /PORT must be a port/ })
})

test('a list is separated by commas, and blanks around its entries and empty entries are ignored', async t => {
  const lists = {
    CLIENT_SECRET_PREVIOUS: ` ${CLIENT_SECRET}x ,,`,
    CLIENT_KEYS: 'xxx, another-key',
    TRUST_PROXY: ' 10.0.0.1,10.1.0.0/16',
    CORS_ORIGINS: ' , '
  }
  const expected = {
    CLIENT_SECRET_PREVIOUS: [`${CLIENT_SECRET}x`],
    CLIENT_KEYS: ['xxx', 'another-key'],
    TRUST_PROXY: ['10.0.0.1', '10.1.0.0/16'],
    CORS_ORIGINS: []
  }
  t.match(readConfig({ CLIENT_SECRET, ...lists }), expected)
  const fastify = Fastify()
  await fastify.register(config, { env: { CLIENT_SECRET, ...lists } })
  t.match(fastify.config, expected)
  t.same(readConfig({ TRUST_PROXY: ' false' }, ['TRUST_PROXY']), { TRUST_PROXY: [] })
})

test('an error that is not a validation error is passed on unchanged', async t => {
  const error = new Error('x')
  t.equal(asConfigError(error), error)
})

test('a list of proxies may contain empty entries', async t => {
  const fastify = await createServer({
    CLIENT_SECRET,
    TRUST_PROXY: '10.0.0.1, ,',
    DATABASE_URL: `file:${join(temporaryFolder(t), 'test.db')}`,
    LOG_LEVEL: 'silent'
  })
  t.match(fastify.config, { TRUST_PROXY: ['10.0.0.1'] })
  await fastify.close()
})

test('an invalid configuration stops the server with exit code 1 and one readable message', async t => {
  const cwd = temporaryFolder(t)
  writeFileSync(join(cwd, '.env'), 'CLIENT_KEYS=tck_x\nPORT=3000\n')
  const { code, stdout, stderr } = await run(t, 'server.ts', { cwd, env: { PORT: 'x' } }).ended
  t.equal(code, 1)
  t.equal(stdout, '')
  t.equal(
    stderr,
    `The configuration can't be used. Fix these variables in the environment or in .env:
  CLIENT_SECRET is not set. Generate one with: openssl rand -hex 32
  CLIENT_KEYS (set in .env) entry 1 looks like a key_access_token; use the key_id instead (npm run key:issue prints both)
  PORT (set in the environment) must be a port number from 0 to 65535
`
  )
})

test("the server exits if it can't open the database", async t => {
  const folder = temporaryFolder(t)
  writeFileSync(
    join(folder, 'notes.txt'),
    'This is no database, though it is long enough to look like one at first. '.repeat(40)
  )
  for (const path of [join(folder, 'notes.txt'), join(folder, 'notes.txt', 'x.db')]) {
    const { code, stderr } = await run(t, 'server.ts', { env: { CLIENT_SECRET, DATABASE_URL: `file:${path}` } }).ended
    t.equal(code, 1)
    t.match(stderr, /^DATABASE_URL \(set in the environment\): the database .* can't be opened: [^\n]+\n$/)
  }
})
