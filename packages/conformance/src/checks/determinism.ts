import { distance, isSame } from '../numbers.js';
import type { Subject } from '../subject.js';
import type { Check } from './check.js';

const BITS = 'equal calls give equal bits, whatever was called between them';

/** Results of every call on the same batch. */
async function everything<Example>(
  subject: Subject<Example>,
): Promise<ReadonlyMap<string, Float32Array | undefined>> {
  const { backbone, batch, capabilities, slots, deep } = subject;
  const gates = capabilities.gates
    ? batch.examples.flatMap(() => Array.from({ length: slots }, (_, slot) => (slot < 2 ? 1 : 0)))
    : undefined;
  const plan = subject.plan({ ...(gates ? { gates } : {}), ...(deep.length > 0 ? { deep } : {}) });
  const { position, gates: isGated } = capabilities;
  const step = await subject.step(plan, { position, gates: isGated });
  return new Map<string, Float32Array | undefined>([
    ['predict', await subject.predict(plan)],
    ['predict without a plan', await subject.predict()],
    ['features', await backbone.features(batch.examples)],
    ['pooled', await backbone.pooled(batch.examples)],
    ['promptRows', await backbone.promptRows(4, 2)],
    ['differentiate, loss', Float32Array.of(step.loss)],
    ['differentiate, logits', step.logits],
    ['differentiate, plan.prompts', step.plan.prompts],
    ['differentiate, plan.position', step.plan.position],
    ['differentiate, plan.gates', step.plan.gates],
    ['differentiate, plan.deep', step.plan.deep],
    ...[...step.head].map(([name, values]) => [`differentiate, head ${name}`, values] as const),
  ]);
}

/** Bit for bit, on one backbone. */
export const determinism: Check = {
  title: 'gives the same bits for the same call',
  async run(subject) {
    const first = await everything(subject);
    const second = await everything(subject);
    for (const [call, values] of first) {
      const other = second.get(call);
      if (isSame(values, other)) continue;
      const apart = values && other ? distance(values, other) : NaN;
      throw subject.broken(call, `two equal calls differ by up to ${apart.toPrecision(2)}`, BITS);
    }
  },
};

/** Features and prompt rows. */
export const features: Check = {
  title: 'gives features of the model without prompts, and different rows to start prompts from',
  async run(subject) {
    const { backbone, batch, prompts } = subject;
    const { examples } = batch;
    const contract = 'features are those of the prompt-free model, whatever plan came before';
    for (const call of ['features', 'pooled'] as const) {
      const before = await backbone[call](examples);
      const loud = subject.plan({ prompts: prompts.map((value) => 3 * value) });
      await subject.predict(loud);
      await subject.step(loud);
      const after = await backbone[call](examples);
      if (!isSame(before, after)) {
        const problem = `they move by ${distance(before, after).toPrecision(2)} after a plan`;
        throw subject.broken(call, problem, contract);
      }
      const { width } = backbone;
      if (isSame(before.slice(0, width), before.slice(width, 2 * width)))
        throw subject.broken(call, 'two examples have the same', `${call} are those of an example`);
    }
    const [first, second] = [await backbone.promptRows(2, 0), await backbone.promptRows(2, 2)];
    if (isSame(first, second))
      throw subject.broken(
        'promptRows',
        'offsets 0 and 2 give the same rows',
        'other offsets give other rows',
      );
  },
};

/** The feature cache goes by it. */
export const identity: Check = {
  title: 'tells examples apart by their content',
  run(subject) {
    const { backbone, batch } = subject;
    const keys = batch.examples.map((example) => keyOf(backbone.identify(example)));
    const contract =
      'an example is identified by its content: equal for equal content, different for different';
    keys.forEach((key, index) => {
      const other = keys.indexOf(key);
      if (other !== index)
        throw subject.broken('identify', `examples ${other} and ${index} are the same to it`, contract);
    });
    batch.examples.forEach((example, index) => {
      if (keyOf(backbone.identify(structuredClone(example))) === keys[index]) return;
      throw subject.broken('identify', `a copy of example ${index} is another one to it`, contract);
    });
    return Promise.resolve();
  },
};

function keyOf(identity: string | Uint8Array): string {
  return typeof identity === 'string' ? identity : Buffer.from(identity).toString('hex');
}
