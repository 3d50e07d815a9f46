import type { Service, ServiceScope } from '../domain/services/service.ts'
import { toDate, toText } from './timestamps.ts'

/** The columns of a service. Every engine returns them in this format. */
export interface ServiceRow {
  readonly name: string
  readonly description: string | null
  readonly audience: string | null
  readonly scopes: string
  readonly createdAt: string
  readonly updatedAt: string
}

export const toService = ({ scopes, createdAt, updatedAt, ...row }: ServiceRow): Service => ({
  ...row,
  scopes: JSON.parse(scopes) as ServiceScope[],
  createdAt: toDate(createdAt),
  updatedAt: toDate(updatedAt)
})

export const toServiceRow = ({ scopes, createdAt, updatedAt, ...service }: Service): ServiceRow => ({
  ...service,
  scopes: JSON.stringify(scopes),
  createdAt: toText(createdAt),
  updatedAt: toText(updatedAt)
})
