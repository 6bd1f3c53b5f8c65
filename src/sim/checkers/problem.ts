/** What a checker has found. */
export interface Problem {
  /** Which promise was not kept. */
  readonly checker: string;
  /** What happened, for a person. */
  readonly text: string;
  /** Operations that show it, by their id. */
  readonly operations: readonly number[];
}
