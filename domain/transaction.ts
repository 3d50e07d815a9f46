export interface WriteOptions {
  /**
   * Identifies what the transaction changes. Transactions with the same subject may be run one at a time, to avoid
   * conflicts.
   */
  readonly subject?: string
  /**
   * Whether a power failure may lose the written data. The remaining data stays complete and in order, and the write is
   * faster because it doesn't wait for the disk. Defaults to false.
   */
  readonly mayBeLost?: boolean
  /**
   * Whether the transaction may change thousands of rows. It then has more time, and its functions may yield to the
   * event loop. Defaults to false.
   */
  readonly isBulk?: boolean
}

export interface ReadOptions {
  /** Aborted when the client is no longer waiting for the reply. The database then cancels the query. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs work with access to stored rows: `R` reads committed data, `W` reads and writes in a transaction. Both functions
 * throw `ServiceUnavailable` if the database can't be used. If another process has locked it, they first retry for a
 * second, so `work` may run more than once.
 */
export interface TransactorOf<R, W> {
  /**
   * Runs `work` in its own transaction. Everything that it writes is stored when the promise resolves. Nothing is
   * stored if `work` throws. `work` must await only functions of `tx`.
   */
  write: <T>(work: (tx: W) => Promise<T>, options?: WriteOptions) => Promise<T>
  /** Runs `work` on committed data. Throws RequestCancelled if the signal is aborted in the meantime. */
  read: <T>(work: (rows: R) => Promise<T>, options?: ReadOptions) => Promise<T>
}
