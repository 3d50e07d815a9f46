export interface WriteOptions {
  /** What the transaction is about. Those about the same may run one after another, where many would be in the way. */
  readonly subject?: string
  /**
   * Whether a power cut may take what is written. It stays whole and in order, and is quicker: nothing waits for the
   * disk. False by default.
   */
  readonly mayBeLost?: boolean
}

export interface ReadOptions {
  /** Aborted when nobody waits for the answer any more: what the database still does for it is cancelled. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Gives work its rows: `R` to read what is committed, `W` to read and write in a transaction. Both verbs throw
 * `ServiceUnavailable` where the database can not be used now, after they have tried again for a second where another
 * process holds it; `work` may therefore run more than once.
 */
export interface TransactorOf<R, W> {
  /**
   * Runs `work` in a transaction of its own: all of what it writes is stored when the promise resolves, and none of it
   * where `work` throws. Nothing but the verbs of `tx` may be awaited in it.
   */
  write: <T>(work: (tx: W) => Promise<T>, options?: WriteOptions) => Promise<T>
  /** Runs `work` on what is committed. Throws RequestCancelled where the signal was aborted meanwhile. */
  read: <T>(work: (rows: R) => Promise<T>, options?: ReadOptions) => Promise<T>
}
