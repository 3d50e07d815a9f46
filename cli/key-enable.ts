import { switchCommand } from './key-switch.ts'

export default switchCommand('key:enable', {
  enabled: true,
  help: 'Lets a client key in again that key:disable stopped.',
  done: 'enabled'
})
