import { DynaPromptError, type PromptPlan } from '@dynaprompt/core';
import type { Subject } from '../subject.js';
import type { Check } from './check.js';

/** @throws ConformanceError unless a call rejects with a typed error. */
async function refuses<Example>(
  subject: Subject<Example>,
  call: string,
  what: string,
  make: () => Promise<unknown> | undefined,
): Promise<void> {
  const contract = 'every method rejects with a DynaPromptError that names what is at fault';
  let answer: Promise<unknown> | undefined;
  try {
    answer = make();
  } catch (failure) {
    throw subject.broken(
      call,
      `it throws at once for ${what}, in place of a rejected promise`,
      contract,
      failure,
    );
  }
  try {
    await answer;
  } catch (failure) {
    if (failure instanceof DynaPromptError) return;
    const said = failure instanceof Error ? `${failure.name}: ${failure.message}` : String(failure);
    throw subject.broken(call, `it rejects ${what} with ${said}`, contract, failure);
  }
  throw subject.broken(call, `it takes ${what}`, contract);
}

/** Calls that cannot be answered. */
export const mistakes: Check = {
  title: 'refuses wrong calls by an error that says why',
  async run(subject) {
    const { backbone, batch, head, slots } = subject;
    const { examples } = batch;
    const good = subject.plan({ gates: new Array<number>(examples.length * slots).fill(1) });
    const more = new Float32Array((examples.length + 1) * slots * backbone.width);
    const plans: Readonly<Record<string, PromptPlan>> = {
      'a plan for another batch': { ...good, batch: examples.length + 1, prompts: more },
      'a plan of another width': { ...good, width: backbone.width + 1 },
      'too few prompt values': { ...good, prompts: good.prompts.subarray(1) },
      'too few gates': { ...good, gates: new Float32Array(1) },
      'a gate that is no number': { ...good, gates: new Float32Array(examples.length * slots).fill(NaN) },
      'a place that is no candidate': subject.plan({ choice: examples.map(() => slots + 1) }),
      'prompts of a layer that is not there': {
        ...good,
        deep: {
          layers: backbone.description.layers,
          prompts: new Float32Array(good.prompts.length * backbone.description.layers),
        },
      },
    };
    for (const [what, plan] of Object.entries(plans)) {
      await refuses(subject, 'predict', what, () => backbone.predict(examples, plan, head));
      await refuses(subject, 'differentiate', what, () => subject.step(plan));
    }
    const request = { position: false, gates: false };
    const plain = subject.plan();
    for (const [what, wrong] of wrongAnswers(subject))
      await refuses(subject, 'differentiate', what, () =>
        backbone.differentiate(wrong, plain, head, request),
      );
    const none = {
      ...plain,
      batch: 0,
      prompts: new Float32Array(),
      position: { ...plain.position, choice: new Int32Array() },
    };
    const empty = { examples: [], labels: new Int32Array(), targets: new Float32Array() };
    const what = 'a batch of no examples';
    await refuses(subject, 'features', what, () => backbone.features([]));
    await refuses(subject, 'pooled', what, () => backbone.pooled([]));
    await refuses(subject, 'predict', what, () => backbone.predict([], undefined, head));
    await refuses(subject, 'differentiate', what, () => backbone.differentiate(empty, none, head, request));
  },
};

/** Batches whose answers do not fit. */
function wrongAnswers<Example>({
  backbone,
  batch,
}: Subject<Example>): readonly (readonly [string, Subject<Example>['batch']])[] {
  const { labels, targets } = batch;
  if (targets) {
    return [
      [
        'a target that is no number',
        { ...batch, targets: targets.map((target, index) => (index === 0 ? NaN : target)) },
      ],
      ['too few targets', { ...batch, targets: targets.subarray(1) }],
    ];
  }
  const first = (label: number): Int32Array => labels.map((other, index) => (index === 0 ? label : other));
  return [
    [
      `label ${backbone.classes} of ${backbone.classes} classes`,
      { ...batch, labels: first(backbone.classes) },
    ],
    ['label -1', { ...batch, labels: first(-1) }],
    ['too few labels', { ...batch, labels: labels.subarray(1) }],
  ];
}

/** A backbone of its own, released; opened anew it is the same one. */
export const release: Check = {
  title: 'is the same when it is opened again, and of no use when it was released',
  async run(subject) {
    const { batch, head, options } = subject;
    const backbone = await options.open();
    const contract = 'a model that is opened twice is the same, so that what is cached and saved for it fits';
    const described = JSON.stringify(subject.backbone.description);
    if (JSON.stringify(backbone.description) !== described)
      throw subject.broken(
        'description',
        `${described} once, ${JSON.stringify(backbone.description)} when it is opened again`,
        contract,
      );
    const plan = subject.plan();
    await backbone.predict(batch.examples, plan, head);
    await backbone.release();
    await backbone.release();
    const what = 'calls after its release';
    await refuses(subject, 'features', what, () => backbone.features(batch.examples));
    await refuses(subject, 'pooled', what, () => backbone.pooled(batch.examples));
    await refuses(subject, 'predict', what, () => backbone.predict(batch.examples, plan, head));
    await refuses(subject, 'differentiate', what, () =>
      backbone.differentiate(batch, plan, head, { position: false, gates: false }),
    );
    if (backbone.fineTuning) await refuses(subject, 'fineTuning', what, () => backbone.fineTuning?.());
  },
};
