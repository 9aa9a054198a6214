/** What became of a run of a program. */
export interface WarmOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A built command line whose runs take turns in one process: starting and loading modules take longer than most of what a test asks
 * for. Every run has arguments, standard streams and an exit code of its own. Tests of processes themselves, of signals, and of
 * streams that are open for long start one each instead.
 */
export declare class WarmProgram {
  /**
   * @param main built main module.
   * @param folder where the program runs.
   * @param environment variables beside those of this process.
   */
  constructor(main: URL, folder: string, environment: Readonly<Record<string, string>>);

  /** Runs words, with all that standard input says. @throws when the process ends, as a command line never makes it. */
  run(words: readonly string[], input?: string | Uint8Array): Promise<WarmOutcome>;

  /** Ends the process. */
  close(): Promise<void>;
}
