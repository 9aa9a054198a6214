/** What an application says about itself. */
export interface Application {
  /** Name in its results, e.g. `glue`. */
  readonly name: string;
  /** Name under which its command line speaks, e.g. `dynaprompt-glue`. */
  readonly program: string;
  /** How a command is written in its repository, e.g. `npm run glue --`. */
  readonly command: string;
  /** Versions of what takes part in a run, by name. */
  readonly versions: Readonly<Record<string, string>>;
  /** What a prompt is put into, e.g. `the text`. */
  readonly input: string;
  /** Its task as the Hugging Face Hub names it, e.g. `text-classification`; for model cards. */
  readonly pipeline?: string;
  /** What is left out where data cannot be used, e.g. `bad rows`. */
  readonly faults: string;
}
