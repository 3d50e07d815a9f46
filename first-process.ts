import { constants } from 'node:os'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

const end = (signal: NodeJS.Signals): void => {
  process.exit(128 + constants.signals[signal])
}

/**
 * Ends the process on SIGTERM and SIGINT if its id is 1, as in a container. The kernel ignores signals for that process
 * if they have no handler. They end any other process by default.
 */
export const endOnSignals = (): void => {
  if (process.pid === 1) for (const signal of SIGNALS) process.on(signal, end)
}

/** Removes the handlers of `endOnSignals`, so that other handlers can be used instead. */
export const leaveSignals = (): void => {
  for (const signal of SIGNALS) process.off(signal, end)
}
