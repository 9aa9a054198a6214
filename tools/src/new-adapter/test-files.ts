import type { PromptEntryPlace } from '@dynaprompt/backbone';
import { named, type Files } from './render.js';

/** What the tests and the README of an adapter depend on. */
export interface Subject {
  readonly name: string;
  readonly kind: PromptEntryPlace['kind'];
  /** Literal of the folder with the model, relative to the package's own. */
  readonly folder: string;
  /** Expression of an array of three examples, and statements that it needs. */
  readonly examples: string;
  readonly setting: string;
  /** An example that the model does not take. */
  readonly wrong: string;
  /** Capabilities that are not what the conformance suite assumes. */
  readonly capabilities: Readonly<Record<string, boolean>>;
}

/** Test files, which stand beside the sources. */
export function testFiles(subject: Subject): Files {
  const { name, folder, examples, setting, wrong, capabilities } = subject;
  const usesStream = setting.includes('stream(');
  const model = `fileURLToPath(new URL('../${folder}', import.meta.url))`;
  const conformance = `
import { fileURLToPath } from 'node:url';
import { conformance } from '@dynaprompt/conformance';
import { DataError${usesStream ? ', stream' : ''} } from '@dynaprompt/core';
import * as training from '@dynaprompt/training';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { AdapterNameExample } from './example.js';
import { openAdapterName } from './open-adapter-name.js';

const folder = ${model};
const open = (): ReturnType<typeof openAdapterName> =>
  openAdapterName(folder, { threads: 1, reserve: 4, head: { kind: 'linear', classes: 3 } });
${setting}
const examples: readonly AdapterNameExample[] = ${examples};

conformance(
  { name: 'adapter-name', open, examples, labels: [2, 0, 1], training,
    capabilities: ${JSON.stringify(capabilities)} },
  { describe, it, afterAll, expect },
);

it('refuses an example that the model does not take', async () => {
  const backbone = await open();
  try {
    const wrong: AdapterNameExample = ${wrong};
    await expect(backbone.features([wrong])).rejects.toThrow(DataError);
  } finally {
    await backbone.release();
  }
});

it('refuses options that cannot be used', async () => {
  const head = { kind: 'linear', classes: 2 } as const;
  await expect(openAdapterName(folder, { reserve: -1, head })).rejects.toThrow(/reserve: -1 is no count/);
  await expect(openAdapterName(folder, { reserve: 1, head: { ...head, classes: 1 } })).rejects.toThrow(/1 is no count/);
});
`;
  const readme = `
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createContext, SourceTextModule, SyntheticModule } from 'node:vm';
import { expect, it } from '@jest/globals';

it('runs the block of the README', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, code = ''] = /\`\`\`js\\n(.*?)\`\`\`/s.exec(readme) ?? [];
  const model = ${model};
  const located = code.replace("'${folder}'", JSON.stringify(model));
  expect(located).not.toBe(code);
  const printed: unknown[][] = [];
  const log = (...values: unknown[]): void => void printed.push(values);
  const context = createContext({ console: { log }, Float32Array, Int32Array });
  const block = new SourceTextModule(located, { context });
  const linked = async (specifier: string): Promise<SyntheticModule> => {
    const exports = (await import(specifier)) as Record<string, unknown>;
    return new SyntheticModule(
      Object.keys(exports),
      function (this: SyntheticModule) {
        for (const [key, value] of Object.entries(exports)) this.setExport(key, value);
      },
      { context },
    );
  };
  // One after the other: packages have modules in common, which jest loads once.
  let last: Promise<unknown> = Promise.resolve();
  await block.link((specifier) => {
    const next = last.then(() => linked(specifier));
    last = next;
    return next;
  });
  await block.evaluate();
  const [[loss, gradient, width] = []] = printed;
  expect(loss).toBeGreaterThan(0);
  expect(gradient).toHaveLength(2 * 4 * Number(width));
});
`;
  return new Map([
    ['src/conformance.test.ts', named(conformance, name)],
    ['src/readme.test.ts', named(readme, name)],
  ]);
}
