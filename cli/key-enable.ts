import { switchKey } from './key-switch.ts'

await switchKey('key:enable', {
  enabled: true,
  help: 'Lets a client key in again that key:disable stopped.',
  done: 'enabled'
})
