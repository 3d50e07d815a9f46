import { constants } from 'node:os'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

const end = (signal: NodeJS.Signals): void => {
  process.exit(128 + constants.signals[signal])
}

/**
 * Has SIGTERM and SIGINT end the process if it is the first of a container, which the system protects from signals that
 * nobody listens for. Every other process they end by themselves.
 */
export const endOnSignals = (): void => {
  if (process.pid === 1) for (const signal of SIGNALS) process.on(signal, end)
}

/** Leaves the signals to somebody else who listens for them. */
export const leaveSignals = (): void => {
  for (const signal of SIGNALS) process.off(signal, end)
}
