/** A place of a prompted sequence that holds no prompt. */
export interface ContentPlace {
  /** Row of [prompts; content] that stands there (see `sourceTables` of core). */
  readonly source: number;
  readonly place: number;
  /** Rows of the prompt. */
  readonly slots: number;
}

/** What shapes are found with. */
export interface Probe<Model> {
  readonly model: Model;
  readonly batch: number;
  /** Rows of the prompted sequence. */
  readonly total: number;
}
