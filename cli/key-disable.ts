import { switchKey } from './key-switch.ts'

await switchKey('key:disable', {
  enabled: false,
  help: 'Stops a client key from its next request on, until key:enable lets it in again.',
  done: 'stopped; key:enable lets it in again'
})
