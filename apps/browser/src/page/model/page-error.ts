/** What the page tells its reader: what is wrong, and what can be done. */
export class PageError extends Error {
  readonly remedy: string;

  constructor(problem: string, remedy: string, cause?: unknown) {
    super(problem, { cause });
    this.name = 'PageError';
    this.remedy = remedy;
  }
}
