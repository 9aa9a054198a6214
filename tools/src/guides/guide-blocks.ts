import { readFileSync } from 'node:fs';
import { createContext, SourceTextModule, SyntheticModule, type Context } from 'node:vm';

/** A fenced block of a guide. */
export interface Block {
  readonly language: string;
  readonly code: string;
  /** Line of the guide that its code begins at. */
  readonly line: number;
}

/** The fenced blocks of a Markdown file, in order. */
export function blocksOf(file: string): readonly Block[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(({ 1: language = '', 2: code = '', index }) => ({
    language,
    code,
    line: text.slice(0, index).split('\n').length + 1,
  }));
}

/** Where the blocks of a guide run. */
export interface GuideScene {
  /** Texts that stand for something else here, such as the path of a model. */
  readonly replaced?: Readonly<Record<string, string>>;
  /** Modules in place of installed ones, such as a test runner. */
  readonly modules?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** What running a guide gave. */
export interface GuideRun {
  /** Arguments of each console.log. */
  readonly printed: readonly (readonly unknown[])[];
  /** Exports of the blocks that are files, by name. */
  readonly files: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
}

const GLOBALS = {
  Float32Array,
  Float64Array,
  Int32Array,
  Uint8Array,
  URL,
};

/**
 * Runs the `js` blocks of a guide as modules, one after the other. A block that begins with `// name.js` is a file: later blocks can
 * import it from './name.js'.
 *
 * @throws Error where a text to replace is not there.
 */
export async function runGuide(
  file: string,
  { replaced = {}, modules = {} }: GuideScene = {},
): Promise<GuideRun> {
  const printed: unknown[][] = [];
  const log = (...values: unknown[]): void => void printed.push(values);
  const context = createContext({ ...GLOBALS, console: { log } });
  const files = new Map<string, SourceTextModule>();
  const blocks = blocksOf(file).filter(({ language }) => language === 'js');
  for (const from of Object.keys(replaced)) {
    if (!blocks.some(({ code }) => code.includes(from))) throw new Error(`${file}: no code says ${from}`);
  }
  for (const { code, line } of blocks) {
    const located = Object.entries(replaced).reduce((text, [from, to]) => text.replaceAll(from, to), code);
    const block = new SourceTextModule(located, { context, identifier: `${file}:${line}` });
    const [, name] = /^\/\/ ([\w-]+\.js)\b/.exec(code) ?? [];
    await linkInTurn(block, async (specifier) => {
      const own = files.get(specifier);
      if (own) return own;
      return synthetic(modules[specifier] ?? ((await import(specifier)) as Record<string, unknown>), context);
    });
    await block.evaluate();
    if (name !== undefined) files.set(`./${name}`, block);
  }
  const exported = [...files].map(
    ([name, { namespace }]) => [name, namespace as Record<string, unknown>] as const,
  );
  return { printed, files: new Map(exported) };
}

/** Packages have modules in common, which jest loads once: what is imported side by side it does not find. */
async function linkInTurn(
  block: SourceTextModule,
  link: (specifier: string) => Promise<SourceTextModule | SyntheticModule>,
): Promise<void> {
  let last: Promise<unknown> = Promise.resolve();
  await block.link((specifier) => {
    const next = last.then(() => link(specifier));
    last = next;
    return next;
  });
}

function synthetic(exports: Readonly<Record<string, unknown>>, context: Context): SyntheticModule {
  return new SyntheticModule(
    Object.keys(exports),
    function (this: SyntheticModule) {
      for (const [name, value] of Object.entries(exports)) this.setExport(name, value);
    },
    { context },
  );
}
