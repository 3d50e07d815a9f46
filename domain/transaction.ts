export interface WriteOptions {
  /**
   * Identifies what the transaction changes. Transactions with the same subject may be run one after another to avoid
   * conflicts.
   */
  readonly subject?: string
  /**
   * Whether the written data may be lost in a power failure. If so, the write is faster, because it doesn't wait for
   * the disk. The data that remains after a power failure is complete and in order. Defaults to false.
   */
  readonly mayBeLost?: boolean
  /**
   * Whether the transaction may change thousands of rows. It then has more time, and its functions may yield to the
   * event loop. Defaults to false.
   */
  readonly isBulk?: boolean
}

export interface ReadOptions {
  /** Aborted when the client is no longer waiting for the response. The database then cancels the query. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs work with access to stored rows: `R` for reading committed data, and `W` for reading and writing in a
 * transaction. Both functions throw ServiceUnavailable if the database can't be used. If another process has locked the
 * database, they first retry for a second, so `work` may run more than once.
 */
export interface TransactorOf<R, W> {
  /**
   * Runs `work` in a transaction. When the promise resolves, all of its writes are stored. If `work` throws, nothing is
   * stored. `work` must not await anything except the functions of `tx`.
   */
  write: <T>(work: (tx: W) => Promise<T>, options?: WriteOptions) => Promise<T>
  /** Runs `work` on committed data. Throws RequestCancelled if the signal is aborted in the meantime. */
  read: <T>(work: (rows: R) => Promise<T>, options?: ReadOptions) => Promise<T>
}
