import { switchCommand } from './key-switch.ts'

export default switchCommand({
  enabled: false,
  description: 'Stops a client key from its next request on, until key enable lets it in again.',
  done: 'stopped; key enable lets it in again'
})
