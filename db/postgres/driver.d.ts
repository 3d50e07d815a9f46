// Properties of the driver that are missing from its types.
import type {} from 'pg'

declare module 'pg' {
  interface ClientBase {
    readonly host: string
    readonly port: number
    readonly processID: number
    readonly secretKey: number
  }

  interface Connection {
    readonly connect: (portOrPath: number | string, host?: string) => void
    readonly cancel: (processID: number, secretKey: number) => void
  }
}
