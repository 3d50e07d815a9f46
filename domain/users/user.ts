export interface User {
  readonly id: number
  readonly name: string
  /** In lower case, because e-mail addresses are compared case-insensitively. */
  readonly email: string
  /** An `admin` can manage users and client keys, but has no permissions for other users' apps. */
  readonly role: 'member' | 'admin'
  readonly colorTheme: string | null
  /** A locked account can't sign in. Locking an account ends its sessions. */
  readonly accountLocked: boolean
  readonly createdAt: Date
}

/** A user to store. A user without a password hash can't sign in. */
export type NewUser = Pick<User, 'name' | 'email' | 'role' | 'createdAt'> &
  Partial<Pick<User, 'colorTheme' | 'accountLocked'>> & { readonly passwordHash: string | null }

/** The fields of a user that can be changed. Omitted fields stay unchanged. */
export type UserChange = Partial<
  Pick<User, 'name' | 'email' | 'role' | 'colorTheme' | 'accountLocked'> & { passwordHash: string }
>
