import { createServer } from 'node:http'
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { ServerOptions } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Server as TcpServer, Socket } from 'node:net'
import type { Test } from 'tap'
import { createVerifier } from '../../exports/verifier.ts'
import type { RemoteVerifier, VerifierOptions } from '../../exports/verifier.ts'

export interface Entry {
  token: string
  scope?: string
  ip?: string
  ref?: string
}

export const TOKEN = 'own-token'

/** Creates a verifier for the service orders, and closes it when the test ends. */
export const verifierOf = (t: Test, url: string, options: Partial<VerifierOptions> = {}): RemoteVerifier => {
  const verifier = createVerifier({ url, keyAccessToken: TOKEN, service: 'orders', ...options })
  t.teardown(verifier.close)
  return verifier
}

const listen = async (t: Test, server: Server | TcpServer): Promise<number> => {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    if ('closeAllConnections' in server) server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

/** Starts an HTTP server. Returns its URL. */
export const httpServer = async (t: Test, handler: RequestListener): Promise<string> =>
  `http://127.0.0.1:${await listen(t, createServer(handler))}`

export const httpsServer = async (t: Test, options: ServerOptions, handler: RequestListener): Promise<string> =>
  `https://localhost:${await listen(t, createSecureServer(options, handler))}`

/** Starts a TCP server, for replies that no HTTP server sends. Returns its URL. */
export const tcpServer = async (
  t: Test,
  onRequest: (socket: Socket, count: number, ref: string) => void
): Promise<string> => {
  const sockets = new Set<Socket>()
  let count = 0
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
  })
  const server = createTcpServer(socket => {
    sockets.add(socket)
    let received = ''
    socket.on('error', () => {})
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text
      if (!isComplete(received)) return
      const ref = /"ref":"([^"]*)"/.exec(received)?.[1] ?? ''
      received = ''
      onRequest(socket, ++count, ref)
    })
  })
  return `http://127.0.0.1:${await listen(t, server)}`
}

const isComplete = (request: string): boolean => {
  const [head = '', body = ''] = request.split('\r\n\r\n')
  return body.length === Number(/content-length: (\d+)/i.exec(head)?.[1])
}

export interface Received {
  readonly entries: Entry[]
  readonly request: IncomingMessage
}

const read = async (request: IncomingMessage): Promise<string> => {
  let body = ''
  for await (const text of request.setEncoding('utf8')) body += String(text)
  return body
}

export const sendJson = (response: ServerResponse, value: unknown, status = 200): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

/** Adds the `ref` of each entry to its verdict, as the service does. */
export const repeatingRefs = (sent: readonly Entry[], verdicts: readonly unknown[]): unknown[] =>
  verdicts.map((verdict, index) => {
    const ref = sent[index]?.ref
    return ref === undefined || typeof verdict !== 'object' ? verdict : { ...verdict, ref }
  })

/** Starts a service that passes each batch to a function. */
export const batchServer = async (
  t: Test,
  handler: (sent: Entry[], response: ServerResponse, request: IncomingMessage) => void,
  listenTo: (handler: RequestListener) => Promise<string> = async handler => await httpServer(t, handler)
): Promise<string> =>
  await listenTo((request, response) => {
    void read(request).then(body => {
      handler(JSON.parse(body) as Entry[], response, request)
    })
  })

/** Starts a service that replies to each batch with the results of a function. Returns its URL and all requests. */
export const introspectionServer = async (
  t: Test,
  verdictOf: (entry: Entry) => unknown
): Promise<{ url: string; received: Received[] }> => {
  const received: Received[] = []
  const url = await batchServer(t, (sent, response, request) => {
    received.push({ entries: sent.map(({ ref, ...entry }) => entry), request })
    sendJson(response, repeatingRefs(sent, sent.map(verdictOf)))
  })
  return { url, received }
}

export const INACTIVE = { active: false }

/** Returns the verdict for an active key. */
export const active = (fields: object = {}): object => ({
  active: true,
  client_id: 'id-1',
  sub: 'id-1',
  username: 'ledger',
  scope: 'orders:read orders:write',
  token_type: 'Bearer',
  ...fields
})
