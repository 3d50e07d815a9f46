import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { Test } from 'tap'

/** The direction: to the database (`up`), or from it (`down`). */
export type Direction = 'up' | 'down'

/** A proxy between a node and its database. A test can interrupt or delay each direction separately. */
export interface Proxy {
  /** The URL of the database through the proxy. */
  readonly url: string
  /** Holds back all further bytes without closing connections, as an interrupted network does. */
  readonly hold: (direction: Direction) => void
  /** Delivers the bytes that were held back, and all further ones. */
  readonly release: (direction: Direction) => void
  /** Delays all further bytes by the specified number of milliseconds. */
  readonly delay: (direction: Direction, ms: number) => void
  /** Resets all open connections. */
  readonly reset: () => void
  /** Refuses all further connections. */
  readonly refuse: () => void
  /** Calls a function with all bytes that pass through. If it returns true, the connection is reset instead. */
  readonly intercept: (isReset: (direction: Direction, text: string) => boolean) => void
}

/** Starts a proxy for the database on a free port of 127.0.0.1. It stops when the test ends. */
export const startProxy = async (t: Test, url: string): Promise<Proxy> => {
  const { hostname, port } = new URL(url)
  const lines = { up: createLine(), down: createLine() }
  const links = new Set<() => void>()
  let isReset: (direction: Direction, text: string) => boolean = () => false

  const relay = (direction: Direction, from: Socket, to: Socket, reset: () => void): void => {
    let last: Promise<unknown> = Promise.resolve()
    const deliver = (work: () => void): void => {
      last = last.then(lines[direction].take()).then(work)
    }
    from.on('data', chunk => {
      deliver(() => {
        if (isReset(direction, chunk.toString('latin1'))) reset()
        else if (!to.destroyed) to.write(chunk)
      })
    })
    from.on('error', () => {})
    from.on('close', () => {
      deliver(() => {
        to.destroySoon()
      })
    })
  }

  const server = createServer(node => {
    const database = connect(Number(port === '' ? 5432 : port), hostname)
    const reset = (): void => {
      links.delete(reset)
      node.resetAndDestroy()
      database.destroy()
    }
    links.add(reset)
    relay('up', node, database, reset)
    relay('down', database, node, reset)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const resetAll = (): void => {
    for (const reset of links) reset()
  }
  t.teardown(() => {
    resetAll()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  return {
    url: Object.assign(new URL(url), { host: `127.0.0.1:${address.port}` }).href,
    hold: direction => {
      lines[direction].hold()
    },
    release: direction => {
      lines[direction].release()
    },
    delay: (direction, ms) => {
      lines[direction].delay(ms)
    },
    reset: resetAll,
    refuse: () => {
      server.close()
    },
    intercept: judge => {
      isReset = judge
    }
  }
}

/** Creates the state of one direction: whether its bytes are held back or delayed. */
const createLine = () => {
  let delayMs = 0
  let isOpen: Promise<void> = Promise.resolve()
  let open = (): void => {}
  return {
    /** Returns a function that waits until bytes that have just arrived may be delivered. */
    take: () => {
      const due = performance.now() + delayMs
      return async (): Promise<void> => {
        await isOpen
        if (due > performance.now()) await pause(due - performance.now())
      }
    },
    hold: () => {
      open()
      isOpen = new Promise(resolve => {
        open = resolve
      })
    },
    release: () => {
      open()
    },
    delay: (ms: number) => {
      delayMs = ms
    }
  }
}
