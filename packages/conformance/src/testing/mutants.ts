import type { BackboneStep, FrozenBackbone } from '@dynaprompt/core';
import type { CheckName } from '../checks/index.js';
import type { TokenExample } from './token-backbone.js';

type Backbone = FrozenBackbone<TokenExample>;
/** What a mutant does otherwise than the backbone that it wraps. */
export type Mutant = (backbone: Backbone) => Partial<Backbone>;

/** One after the other with another factor. */
function scaled(values: Float32Array | undefined, factor: number): Float32Array | undefined {
  return values?.map((value) => factor * value);
}

/** A backbone whose steps are changed. */
function steps(change: (step: BackboneStep) => Partial<BackboneStep>): Mutant {
  return (backbone) => ({
    differentiate: async (...call) => {
      const step = await backbone.differentiate(...call);
      return { ...step, ...change(step) };
    },
  });
}

function planGradients(change: (plan: BackboneStep['plan']) => Partial<BackboneStep['plan']>): Mutant {
  return steps(({ plan }) => ({ plan: { ...plan, ...change(plan) } }));
}

/** Turns a gate's gradient to 0 where the gate is 0, as one that is multiplied by the gate would be. */
const closedGates: Mutant = (backbone) => ({
  differentiate: async (batch, plan, ...rest) => {
    const step = await backbone.differentiate(batch, plan, ...rest);
    const gates = step.plan.gates?.map((value, index) => (plan.gates?.[index] === 0 ? 0 : value));
    return { ...step, plan: { ...step.plan, gates } };
  },
});

/** Keeps what it gave, all of it. */
const hoarder: Mutant = (backbone) => {
  const kept: Float32Array[] = [];
  return {
    differentiate: (...call) => {
      kept.push(new Float32Array(2 ** 21).fill(kept.length));
      return backbone.differentiate(...call);
    },
  };
};

/** Counts its calls, and adds the count to the loss. */
const drifting: Mutant = (backbone) => {
  let calls = 0;
  return {
    differentiate: async (...call) => {
      const step = await backbone.differentiate(...call);
      return { ...step, loss: step.loss + 1e-6 * calls++ };
    },
  };
};

/** Lets the last plan shine through its features. */
const mindful: Mutant = (backbone) => {
  let last = 0;
  return {
    predict: (examples, plan, head) => {
      last = plan?.prompts[0] ?? 0;
      return backbone.predict(examples, plan, head);
    },
    features: async (examples) => (await backbone.features(examples)).map((value) => value + 1e-3 * last),
  };
};

/** Copies whose gradients are wrong. */
const tuning: Mutant = (backbone) => ({
  fineTuning: async () => {
    const copy = await backbone.fineTuning?.();
    if (!copy) throw new TypeError('the backbone can be fine-tuned');
    return {
      ...copy,
      differentiate: async (...call) => {
        const step = await copy.differentiate(...call);
        const weights = new Map(
          [...step.weights].map(([name, values]) => [name, values.map((value) => -value)]),
        );
        return { ...step, weights };
      },
    };
  },
});

let openings = 0;
/** Has another revision at every opening. */
const renamed: Mutant = (backbone) => ({
  description: { ...backbone.description, revision: `revision ${openings++}` },
});

/** Mutants by the check that finds them, with a part of what it says. */
export const MUTANTS: readonly (readonly [CheckName, string, Mutant, RegExp])[] = [
  [
    'description',
    'counts no parameters',
    ({ description }) => ({ description: { ...description, parameters: NaN } }),
    /parameters is NaN/,
  ],
  [
    'description',
    'claims a layer more',
    ({ description }) => ({ description: { ...description, layers: 3 } }),
    /3 layers, 2 are declared/,
  ],
  [
    'shapes',
    'lacks a feature',
    (backbone) => ({ features: async (examples) => (await backbone.features(examples)).slice(1) }),
    /features: it has 95 values, not 96/,
  ],
  [
    'shapes',
    'returns what is no number',
    steps(({ logits }) => ({ logits: logits.map(() => NaN) })),
    /logits: value 0 is NaN/,
  ],
  ['shapes', 'forgets the gates', planGradients(() => ({ gates: undefined })), /plan\.gates: it is missing/],
  [
    'shapes',
    'gives its own head away',
    (backbone) => {
      const head = backbone.initialHead(1);
      return { initialHead: () => head };
    },
    /after the first head was changed/,
  ],
  [
    'identity',
    'tells by the length',
    () => ({ identify: ({ ids }) => String(ids.length % 2) }),
    /examples 0 and 1 are the same/,
  ],
  ['features', 'remembers the last plan', mindful, /move by .* after a plan/],
  [
    'batches',
    'centres a batch',
    (backbone) => ({
      features: async (examples) =>
        (await backbone.features(examples)).map((value) => value + 1e-4 * examples.length),
    }),
    /features: example 0 alone and in company differ by 0\.000200/,
  ],
  [
    'length',
    'ignores gates at inference',
    (backbone) => ({
      predict: (examples, plan, head) =>
        backbone.predict(examples, plan && { ...plan, gates: undefined }, head),
    }),
    /4 with 3 on and one of 3 differ by/,
  ],
  [
    'length',
    'ignores gates in training',
    (backbone) => ({
      differentiate: (batch, plan, ...rest) =>
        backbone.differentiate(batch, { ...plan, gates: undefined }, ...rest),
    }),
    /differ in training by/,
  ],
  [
    'loss',
    'sums over the batch',
    steps(({ loss }) => ({ loss: 3 * loss })),
    /its loss is .*, that of its logits/,
  ],
  [
    'loss',
    'predicts with another place',
    (backbone) => ({
      differentiate: (batch, plan, ...rest) =>
        backbone.differentiate(
          batch,
          { ...plan, position: { ...plan.position, choice: plan.position.choice.map(() => 0) } },
          ...rest,
        ),
    }),
    /its logits and those of predict differ/,
  ],
  [
    'promptGradient',
    'halves the gradient',
    planGradients(({ prompts }) => ({ prompts: prompts.map((value) => value / 2) })),
    /gradient of prompts: it says/,
  ],
  [
    'promptGradient',
    'forgets one prompt token of twelve',
    planGradients(({ prompts }) => ({
      prompts: prompts.map((value, index) => (index < prompts.length / 12 ? 0 : value)),
    })),
    /gradient of prompts: it says/,
  ],
  [
    'deepGradient',
    'exchanges examples',
    planGradients(({ deep }) => ({
      deep: deep && Float32Array.of(...deep.subarray(deep.length / 3), ...deep.subarray(0, deep.length / 3)),
    })),
    /gradient of deep prompts/,
  ],
  [
    'headGradient',
    'turns the sign of the bias',
    steps(({ head }) => ({
      head: new Map(head).set('head.bias', scaled(head.get('head.bias'), -1) ?? new Float32Array()),
    })),
    /gradient of head\.bias/,
  ],
  [
    'gateGradient',
    'gives dL/d log γ at γ < 1',
    (backbone) => ({
      differentiate: async (batch, plan, ...rest) => {
        const step = await backbone.differentiate(batch, plan, ...rest);
        return {
          ...step,
          plan: {
            ...step.plan,
            gates: step.plan.gates?.map((value, index) => value * (plan.gates?.[index] ?? 1)),
          },
        };
      },
    }),
    /gates between 0 and 1/,
  ],
  ['closedGateGradient', 'has no gradient at 0', closedGates, /at 0 and .* at 1e-8/],
  [
    'closedGateGradient',
    'has a third of it',
    planGradients(({ gates }) => ({ gates: scaled(gates, 1 / 3) })),
    /adds up to/,
  ],
  [
    'position',
    'puts every prompt in front',
    (backbone) => ({
      predict: (examples, plan, head) =>
        backbone.predict(
          examples,
          plan && { ...plan, position: { ...plan.position, choice: plan.position.choice.map(() => 4) } },
          head,
        ),
    }),
    /logits move by 0/,
  ],
  [
    'position',
    'turns the sign',
    planGradients(({ position }) => ({ position: scaled(position, -1) })),
    /its slopes miss that by/,
  ],
  [
    'position',
    'tells equal places apart',
    planGradients(({ position }) => ({ position: position?.map((value, index) => value + index) })),
    /candidates 1 … 4/,
  ],
  ['determinism', 'drifts', drifting, /loss: two equal calls differ by/],
  [
    'mistakes',
    'takes any label',
    (backbone) => ({
      differentiate: (batch, ...rest) =>
        backbone.differentiate(
          { ...batch, labels: batch.labels.map((label) => Math.max(0, label % 3)) },
          ...rest,
        ),
    }),
    /it takes label 3 of 3 classes/,
  ],
  [
    'mistakes',
    'throws at once',
    (backbone) => ({
      features: (examples) => {
        if (examples.length === 0) throw new TypeError('empty');
        return backbone.features(examples);
      },
    }),
    /throws at once for a batch of no examples/,
  ],
  [
    'mistakes',
    'rejects by an untyped error',
    (backbone) => ({
      pooled: (examples) =>
        examples.length === 0 ? Promise.reject(new TypeError('length')) : backbone.pooled(examples),
    }),
    /with TypeError: length/,
  ],
  ['fineTuning', 'climbs', tuning, /gradient of weight/],
  [
    'adapterFiles',
    'has a new revision each time that it is asked',
    ({ description }) => {
      let asked = 0;
      return {
        get description() {
          return { ...description, revision: `revision ${asked++}` };
        },
      };
    },
    /saveAdapter and loadAdapter: .*revision/,
  ],
  ['memory', 'keeps 8 MiB of every step', hoarder, /the heap grows by \d+\.\d MiB in 24 steps/],
  ['release', 'has another revision at every opening', renamed, /when it is opened again/],
  [
    'release',
    'goes on after its release',
    () => ({ release: () => Promise.resolve() }),
    /it takes calls after its release/,
  ],
];
