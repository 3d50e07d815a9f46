import { createClientKeys } from 'trivial-api/client-key-auth'
import { openSqliteStore } from 'trivial-api/client-key-auth/sqlite'

const store = openSqliteStore(process.env.KEYS_FILE ?? 'keys.db')
const keys = createClientKeys({ store, secret: process.env.CLIENT_SECRET, scopes: ['reports:read', 'reports:write'] })
const { key, keyAccessToken } = await keys.issue({ name: process.argv[2], scopes: ['reports:read'] })
console.log(key.id, keyAccessToken)
store.close()
