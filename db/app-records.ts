import type { NewApp, Owner } from '../domain/apps/app.ts'
import { toText } from './instants.ts'

/** The columns that say who owns an app. */
export const toOwnerColumns = ({ type, id }: Owner) => ({
  userId: type === 'User' ? id : null,
  organizationId: type === 'Organization' ? id : null
})

/** The columns of a new app. */
export const toNewColumns = ({ owner, createdAt, name, descriptiveName, panels, schedule }: NewApp, port: number) => ({
  name,
  descriptiveName,
  port,
  panels,
  schedule,
  ...toOwnerColumns(owner),
  createdAt: toText(createdAt),
  updatedAt: toText(createdAt)
})
