import { switchCommand } from './key-switch.ts'

export default switchCommand({
  enabled: true,
  description: 'Lets a client key in again that key disable stopped.',
  done: 'enabled'
})
