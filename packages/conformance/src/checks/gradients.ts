import { along, at, inner, integralFromZero } from '../numbers.js';
import { checkSlope } from '../slope.js';
import type { Subject } from '../subject.js';
import type { Check } from './check.js';

/** dL/dP. */
export const promptGradient: Check = {
  title: 'differentiates with respect to prompts',
  async run(subject) {
    const { prompts } = subject;
    const { plan } = await subject.step(subject.plan());
    await checkSlope(subject, {
      what: 'prompts',
      gradient: plan.prompts,
      values: prompts,
      loss: async (direction, step) =>
        subject.lossOf(await subject.predict(subject.plan({ prompts: along(prompts, direction, step) }))),
    });
  },
};

/** dL/dP of layers behind the first. */
export const deepGradient: Check = {
  title: 'differentiates with respect to prompts of deeper layers',
  applies: ({ deep }) => deep.length > 0,
  async run(subject) {
    const { deep } = subject;
    const { plan } = await subject.step(subject.plan({ deep }));
    await checkSlope(subject, {
      what: 'deep prompts',
      gradient: plan.deep ?? new Float32Array(),
      values: deep,
      loss: async (direction, step) =>
        subject.lossOf(await subject.predict(subject.plan({ deep: along(deep, direction, step) }))),
    });
  },
};

/** dL/dW of the head. */
export const headGradient: Check = {
  title: 'differentiates with respect to the head',
  applies: ({ head }) => head.size > 0,
  async run(subject) {
    const { head } = subject;
    const plan = subject.plan();
    const step = await subject.step(plan);
    for (const [name, { shape, values }] of head) {
      await checkSlope(subject, {
        what: name,
        gradient: step.head.get(name) ?? new Float32Array(),
        values,
        loss: async (direction, part) => {
          const changed = new Map(head).set(name, { shape, values: along(values, direction, part) });
          return subject.lossOf(await subject.predict(plan, changed));
        },
      });
    }
  },
};

/** dL/dγ between 0 and 1, and at 1. */
export const gateGradient: Check = {
  title: 'differentiates with respect to gates that are on',
  applies: ({ capabilities }) => capabilities.gates,
  async run(subject) {
    const { slots, batch } = subject;
    const between = batch.examples.flatMap((_, example) =>
      Array.from({ length: slots }, (_unused, slot) => 0.85 - (0.1 * slot) / slots - 0.02 * (example % 3)),
    );
    const check = async (what: string, values: Float32Array, side?: 'left'): Promise<void> => {
      const { plan } = await subject.step(subject.plan({ gates: [...values] }), { gates: true });
      await checkSlope(subject, {
        what,
        gradient: plan.gates ?? new Float32Array(),
        values,
        // Gates stay between 0.5, below which they are rounded to 0, and 1, and fall along a prompt.
        directions: ['first', 'second', 'third'].map((name) =>
          fallOff(subject, name).map((value) => 0.3 * value),
        ),
        ...(side && { side }),
        loss: (direction, step) => gatedLoss(subject, along(values, direction, step)),
      });
    };
    await check('gates between 0 and 1', Float32Array.from(between));
    await check('gates at 1', new Float32Array(between.length).fill(1), 'left');
  },
};

/** Of these gates all but the first are off: what switching them on would do. */
export const closedGateGradient: Check = {
  title: 'differentiates with respect to gates that are off',
  applies: ({ capabilities }) => capabilities.gates,
  async run(subject) {
    const { slots } = subject;
    // Gates rise to nine tenths at most, so that they still fall along a prompt.
    const rise = fallOff(subject, 'rise').map((value, index) => (index % slots === 0 ? 0 : 1 - value));
    const gatesAt = (step: number): Float32Array =>
      rise.map((value, index) => (index % slots === 0 ? 1 : step * value));
    const gradientAt = async (step: number): Promise<Float32Array> => {
      const { plan } = await subject.step(subject.plan({ gates: [...gatesAt(step)] }), { gates: true });
      return plan.gates ?? new Float32Array();
    };
    const contract = 'the gradient of a gate is that of the attention that it weights, at 0 too';
    const [closed, ajar] = [await gradientAt(0), await gradientAt(1e-8)];
    const size = Math.max(...ajar.map(Math.abs));
    closed.forEach((value, index) => {
      const expected = at(ajar, index);
      if (Math.abs(value - expected) <= 0.05 * Math.abs(expected) + 0.01 * size) return;
      const problem = `gate ${index} has the gradient ${value.toPrecision(4)} at 0 and ${expected.toPrecision(4)} at 1e-8`;
      throw subject.broken('gradient of gates at 0', problem, contract);
    });
    // A loss may bend within 1e-6 of 0, where no difference is fine enough; but the gradient has to add up to it.
    const end = 0.3;
    const difference = (await gatedLoss(subject, gatesAt(end))) - (await gatedLoss(subject, gatesAt(0)));
    const allowed = 5 * subject.tolerances.gradients * Math.abs(difference) + 1e-5;
    let risen = NaN;
    // Where ReLUs bend the gradient, few intervals are too coarse.
    for (const intervals of [32, 256, 1024]) {
      risen = await integralFromZero(async (step) => inner(await gradientAt(step), rise), end, intervals);
      if (Math.abs(risen - difference) <= allowed) return;
    }
    throw subject.broken(
      'gradient of gates at 0',
      `from 0 to ${end} it adds up to ${risen.toPrecision(5)}, the loss changes by ${difference.toPrecision(5)}`,
      contract,
    );
  },
};

/** Parts of 1 by which gates may fall, growing along every prompt, [B, l]. */
function fallOff<Example>({ normals, slots, batch }: Subject<Example>, name: string): Float32Array {
  const shares = normals(`gates, ${name}`, slots * batch.examples.length).map(
    (value) => 1 / (1 + Math.exp(value)),
  );
  for (let start = 0; start < shares.length; start += slots) shares.subarray(start, start + slots).sort();
  return shares;
}

/** Loss of a training step, which takes gates as they are; inference rounds them. */
async function gatedLoss<Example>(subject: Subject<Example>, gates: Float32Array): Promise<number> {
  return subject.lossOf((await subject.step(subject.plan({ gates: [...gates] }))).logits);
}
