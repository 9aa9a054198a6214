import type { Check } from './checks/check.js';
import { checkNames, checks, type CheckName } from './checks/index.js';
import type { ConformanceOptions, Runner } from './options.js';
import { openSubject, type Subject } from './subject.js';

/**
 * Registers a test for every contract of a `FrozenBackbone` with a test runner. The backbone is opened by the first of them. A
 * check that a backbone's capabilities leave out passes without doing anything.
 *
 * ```
 * conformance({ name: 'my model', open, examples, labels }, { describe, it, afterAll });
 * ```
 */
export function conformance<Example>(
  options: ConformanceOptions<Example>,
  { describe, it, afterAll, expect }: Runner,
): void {
  describe(`${options.name} as a frozen backbone`, () => {
    let opening: Promise<Subject<Example>> | undefined;
    const opened = (): Promise<Subject<Example>> => (opening ??= openSubject(options));
    const close = async (): Promise<void> => {
      await (await opening)?.backbone.release();
    };
    const register = (title: string, run: () => Promise<void>): void => {
      const body = async (): Promise<void> => {
        await run();
        expect?.('kept').toBe('kept');
      };
      if (options.timeout === undefined) it(title, body);
      else it(title, body, options.timeout);
    };
    for (const name of checkNames) {
      register(checks[name].title, async () => {
        await runCheck(name, await opened());
      });
    }
    if (afterAll) afterAll(close);
    else register('is released', close);
  });
}

/**
 * Runs all checks in a row, without a test runner.
 * @throws ConformanceError at the first contract that is broken, and whatever `open` throws.
 */
export async function checkBackbone<Example>(options: ConformanceOptions<Example>): Promise<void> {
  const subject = await openSubject(options);
  try {
    for (const name of checkNames) await runCheck(name, subject);
  } finally {
    await subject.backbone.release();
  }
}

/** One check, where the backbone's capabilities ask for it. */
async function runCheck<Example>(name: CheckName, subject: Subject<Example>): Promise<void> {
  const { run, applies }: Check = checks[name];
  if (applies?.(subject) !== false) await run(subject);
}
