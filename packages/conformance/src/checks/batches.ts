import type { PromptPlan } from '@dynaprompt/core';
import { distance, sizeOfValues } from '../numbers.js';
import type { Subject } from '../subject.js';
import type { Check } from './check.js';

/** @throws ConformanceError where two results are farther apart than rounding. */
function compare<Example>(
  subject: Subject<Example>,
  call: string,
  found: Float32Array,
  expected: Float32Array,
  problem: string,
  contract: string,
): void {
  const allowed = subject.tolerances.logits * sizeOfValues(expected);
  const apart = distance(found, expected);
  if (apart <= allowed) return;
  throw subject.broken(
    call,
    `${problem} by ${apart.toPrecision(3)} (allowed: ${allowed.toPrecision(2)})`,
    contract,
  );
}

/** Padding and company. */
export const batches: Check = {
  title: 'gives an example the same result alone and in company',
  async run(subject) {
    const { backbone, batch, head, prompts, slots } = subject;
    const { examples } = batch;
    const contract = 'what stands in a batch beside an example, padding included, does not change its result';
    const plan = subject.plan({ choice: examples.map((_, index) => index % (slots + 1)) });
    const together = {
      features: await backbone.features(examples),
      pooled: await backbone.pooled(examples),
      'predict without a plan': await subject.predict(),
      predict: await subject.predict(plan),
    };
    for (const [index, example] of examples.entries()) {
      const size = slots * backbone.width;
      const own: PromptPlan = {
        ...plan,
        batch: 1,
        prompts: prompts.slice(index * size, (index + 1) * size),
        position: { ...plan.position, choice: plan.position.choice.slice(index, index + 1) },
      };
      const alone = {
        features: await backbone.features([example]),
        pooled: await backbone.pooled([example]),
        'predict without a plan': await backbone.predict([example], undefined, head),
        predict: await backbone.predict([example], own, head),
      };
      for (const call of Object.keys(together) as (keyof typeof together)[]) {
        const values = alone[call];
        const inCompany = together[call].slice(index * values.length, (index + 1) * values.length);
        compare(subject, call, inCompany, values, `example ${index} alone and in company differ`, contract);
      }
    }
  },
};

const SHORT = 'a token whose gate is 0 is attended by nobody: the result is that of the shorter prompt';

/** Length: gated, cut by hand, and none. */
export const length: Check = {
  title: 'treats a prompt whose tokens are off as a shorter one',
  async run(subject) {
    const { backbone, slots, batch, capabilities, prompts } = subject;
    const count = batch.examples.length;
    for (const active of [slots - 1, 1, 0]) {
      const gates = batch.examples.flatMap(() =>
        Array.from({ length: slots }, (_, slot) => (slot < active ? 1 : 0)),
      );
      const gated = subject.plan({ gates });
      const logits = await subject.predict(gated);
      const expected = await subject.predict(active === 0 ? undefined : shortened(gated, active));
      const prompt = `a prompt of ${slots} with ${active} on and one of ${active}`;
      compare(subject, 'predict', logits, expected, `${prompt} differ`, SHORT);
      // What is off may hold anything.
      const { width } = backbone;
      const noisy = prompts.map((value, index) =>
        Math.floor(index / width) % slots < active ? value : -5 * value + 1,
      );
      const unseen = await subject.predict(subject.plan({ gates, prompts: noisy }));
      compare(subject, 'predict', unseen, logits, 'the values of tokens that are off move the logits', SHORT);
      if (!capabilities.gates) continue;
      const { logits: trained } = await subject.step(gated, { gates: true });
      compare(subject, 'differentiate', trained, expected, `${prompt} differ in training`, SHORT);
    }
    // Each example has a length of its own.
    const active = batch.examples.map((_, index) => index % (slots + 1));
    const gates = active.flatMap((own) => Array.from({ length: slots }, (_, slot) => (slot < own ? 1 : 0)));
    const mixed = await subject.predict(subject.plan({ gates }));
    const classes = mixed.length / count;
    for (const [index, own] of active.entries()) {
      const plan = own === 0 ? undefined : shortened(subject.plan(), own);
      const whole = await subject.predict(plan);
      const row = (values: Float32Array): Float32Array =>
        values.slice(index * classes, (index + 1) * classes);
      compare(
        subject,
        'predict',
        row(mixed),
        row(whole),
        `example ${index}, ${own} of ${slots} on among other lengths, differs`,
        SHORT,
      );
    }
  },
};

/** The first tokens of every prompt alone. */
function shortened(plan: PromptPlan, active: number): PromptPlan {
  const { slots, width, batch, position } = plan;
  const rows = new Float32Array(batch * active * width);
  for (let example = 0; example < batch; example++) {
    const start = example * slots * width;
    rows.set(plan.prompts.subarray(start, start + active * width), example * active * width);
  }
  const choice = position.choice.map((candidate) => Math.min(candidate, active));
  return {
    ...plan,
    slots: active,
    prompts: rows,
    gates: undefined,
    position: { ...position, candidates: active + 1, choice },
  };
}

/** Training and inference are one model, and its loss is what it is said to be. */
export const loss: Check = {
  title: 'takes the loss of its logits, which are those of inference',
  async run(subject) {
    const { slots } = subject;
    const plan = subject.plan({
      choice: subject.batch.examples.map((_, index) => (index + 1) % (slots + 1)),
    });
    const step = await subject.step(plan);
    const contract = 'the logits of a training step are those of a prediction with the same plan';
    compare(
      subject,
      'differentiate',
      step.logits,
      await subject.predict(plan),
      'its logits and those of predict differ',
      contract,
    );
    const expected = subject.lossOf(step.logits);
    const allowed = 1e-5 * (1 + Math.abs(expected));
    if (Math.abs(step.loss - expected) <= allowed) return;
    throw subject.broken(
      'differentiate',
      `its loss is ${step.loss.toPrecision(7)}, that of its logits ${expected.toPrecision(7)}`,
      subject.backbone.range
        ? 'the loss is the mean squared error in parts of the range'
        : 'the loss is the mean cross-entropy of the logits in nats',
    );
  },
};
