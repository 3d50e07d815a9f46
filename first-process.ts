import { constants } from 'node:os'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

const end = (signal: NodeJS.Signals): void => {
  process.exit(128 + constants.signals[signal])
}

/**
 * Terminates the process on SIGTERM and SIGINT if its id is 1, as in a container. By default, these signals terminate
 * any other process, but the kernel ignores them for process 1 unless it has handlers for them.
 */
export const endOnSignals = (): void => {
  if (process.pid === 1) for (const signal of SIGNALS) process.on(signal, end)
}

/** Removes the handlers that `endOnSignals` added, so that other handlers can replace them. */
export const leaveSignals = (): void => {
  for (const signal of SIGNALS) process.off(signal, end)
}
