/**
 * The error every layer throws: a stable `code` to act on, a message that says what happened and what to do, and the cause.
 */
export class RingletError extends Error {
  /** Stable upper-case code, for example `CAP_TRUNCATED`. Messages may change between versions; codes do not. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  override get name(): string {
    return this.constructor.name;
  }
}
