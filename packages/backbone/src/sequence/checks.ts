import { DataError, type FrozenBackbone, type LabelledBatch, type PromptPlan } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';

/**
 * Checks a plan against batch and backbone; without a plan, only that the batch holds something.
 * @throws DataError naming the field that does not fit.
 */
export function checkPlan(
  plan: PromptPlan | undefined,
  batch: number,
  backbone: { readonly width: number; readonly reserve: number; readonly layers: number },
): void {
  if (batch === 0) throw unfit('the batch is empty');
  if (!plan) return;
  const { slots, width, gates, position, deep } = plan;
  if (plan.batch !== batch) throw unfit(`it is for ${plan.batch} examples, the batch has ${batch}`);
  if (width !== backbone.width) throw unfit(`it is ${width} wide, the backbone ${backbone.width}`);
  if (slots > backbone.reserve)
    throw unfit(`it has ${slots} slots, the backbone was opened for ${backbone.reserve}`);
  checkCount('prompt values', plan.prompts.length, batch * slots * width);
  checkCount('choices of position', position.choice.length, batch);
  if (position.mode === 'split') checkCount('position candidates', position.candidates, slots + 1);
  else if (position.candidates < 2)
    throw unfit(`it has ${position.candidates} position candidates, not two or more`);
  if (deep) {
    const most = backbone.layers - 1;
    if (!Number.isInteger(deep.layers) || deep.layers < 1 || deep.layers > most)
      throw unfit(`it has prompts for ${deep.layers} layers behind the first, the backbone has ${most}`);
    checkCount('deep prompt values', deep.prompts.length, batch * deep.layers * slots * width);
  }
  if (!gates) return;
  checkCount('gates', gates.length, batch * slots);
  const wrong = gates.find((gate) => !(gate >= 0 && Number.isFinite(gate)));
  if (wrong !== undefined) throw unfit(`${wrong} is no gate`);
}

/** What of a backbone its labels have to fit. */
export type Answering<Example> = Pick<FrozenBackbone<Example>, 'classes' | 'range' | 'candidatesOf'>;

/**
 * Checks that every example has an answer: a label of one of the classes or of its own candidates, or a number.
 * @throws DataError naming the example.
 */
export function checkLabels<Example extends { readonly id?: string }>(
  { examples, labels, targets }: LabelledBatch<Example>,
  { classes, range, candidatesOf }: Answering<Example>,
): void {
  if (range) {
    checkTargets(examples, targets);
    return;
  }
  examples.forEach((example, index) => {
    const label = labels[index];
    const count = candidatesOf?.(example).length ?? classes;
    if (label !== undefined && label >= 0 && label < count) return;
    throw unanswered(
      example.id ?? `${index}`,
      `label ${label ?? 'missing'} is not in 0..${count - 1}`,
      candidatesOf
        ? 'Give the index of one of its candidates'
        : 'Open the backbone with the number of classes of the data',
    );
  });
  checkAmount('labels', labels.length, examples.length);
}

function checkTargets(
  examples: readonly { readonly id?: string }[],
  targets: Float32Array = new Float32Array(),
): void {
  examples.forEach(({ id }, index) => {
    const target = targets[index];
    if (target !== undefined && Number.isFinite(target)) return;
    throw unanswered(
      id ?? `${index}`,
      `target ${target ?? 'missing'} is no number to predict`,
      'Give a finite number for each example, or open the backbone with another head',
    );
  });
  checkAmount('targets', targets.length, examples.length);
}

function checkAmount(subject: string, actual: number, expected: number): void {
  if (actual === expected) return;
  throw new DataError({
    packageName: PACKAGE_NAME,
    subject,
    problem: `there are ${actual} for ${expected} examples`,
    remedy: 'Give one for each example',
  });
}

function unanswered(example: string, problem: string, remedy: string): DataError {
  return new DataError({ packageName: PACKAGE_NAME, subject: `example ${example}`, problem, remedy });
}

function checkCount(what: string, actual: number, expected: number): void {
  if (actual !== expected) throw unfit(`it has ${actual} ${what}, not ${expected}`);
}

function unfit(problem: string): DataError {
  return new DataError({
    packageName: PACKAGE_NAME,
    subject: 'prompt plan',
    problem,
    remedy: 'Make the plan for this batch and this backbone',
  });
}
