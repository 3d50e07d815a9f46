export interface User {
  readonly id: number
  readonly name: string
  /** In lower case: addresses are compared so. */
  readonly email: string
  /** `admin` manages users and client keys; it gives no power over the apps of others. */
  readonly role: 'member' | 'admin'
  readonly colorTheme: string | null
  /** A locked account can't sign in, and its sessions end. */
  readonly accountLocked: boolean
  readonly createdAt: Date
}

/** A user to be stored. Without a hash of a password the user can't sign in. */
export type NewUser = Pick<User, 'name' | 'email' | 'role' | 'createdAt'> &
  Partial<Pick<User, 'colorTheme' | 'accountLocked'>> & { readonly passwordHash: string | null }

/** What may be changed of a user; what is left out stays as it is. */
export type UserChange = Partial<
  Pick<User, 'name' | 'email' | 'role' | 'colorTheme' | 'accountLocked'> & { passwordHash: string }
>
