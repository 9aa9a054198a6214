import { sizeOf, type ParameterSet } from '@dynaprompt/core';
import { isSame } from '../numbers.js';
import type { Subject } from '../subject.js';
import type { Check } from './check.js';

const SIZES = 'every array has the size and the finite values that its comment says';

/** What a backbone says about itself. */
export const description: Check = {
  title: 'describes itself',
  run(subject) {
    const { backbone, capabilities } = subject;
    const { name, family, revision, dtype, parameters, maximumTokens, layers } = backbone.description;
    const empty = Object.entries({ name, family, revision, dtype }).filter(([, value]) => value === '');
    const counts = { parameters, maximumTokens, layers, width: backbone.width, classes: backbone.classes };
    const wrong = Object.entries(counts).filter(([, value]) => !Number.isInteger(value) || value < 1);
    const said = [
      ...empty.map(([field]) => `${field} is empty`),
      ...wrong.map(([field, value]) => `${field} is ${value}`),
    ];
    const contract = 'a description names the model, and counts whole things from 1 on';
    if (said.length > 0) throw subject.broken('description', said.join(', '), contract);
    if (layers !== capabilities.layers) {
      const problem = `it says ${layers} layers, ${capabilities.layers} are declared`;
      throw subject.broken('description', problem, 'layers are those whose input takes prompts');
    }
    return Promise.resolve();
  },
};

/** Sizes of all that is returned. */
export const shapes: Check = {
  title: 'returns arrays of the sizes that were agreed',
  async run(subject) {
    const { backbone, batch, slots, capabilities, deep } = subject;
    const { width, classes } = backbone;
    const { examples } = batch;
    const count = examples.length;
    const check = (call: string, values: Float32Array | undefined, expected: number): void => {
      if (values?.length === expected && values.every(Number.isFinite)) return;
      const odd = values?.findIndex((value) => !Number.isFinite(value)) ?? -1;
      const problem = !values
        ? 'it is missing'
        : odd < 0
          ? `it has ${values.length} values, not ${expected}`
          : `value ${odd} is ${values[odd] ?? ''}`;
      throw subject.broken(call, problem, SIZES);
    };
    check('features', await backbone.features(examples), count * width);
    check('pooled', await backbone.pooled(examples), count * width);
    check('promptRows', await backbone.promptRows(3, 1), 3 * width);
    check('predict without a plan', await subject.predict(), count * classes);
    check('predict', await subject.predict(subject.plan()), count * classes);
    checkHead(subject, check);
    const { position, gates } = capabilities;
    const parts = {
      ...(gates ? { gates: new Array<number>(count * slots).fill(1) } : {}),
      ...(deep.length > 0 ? { deep } : {}),
    };
    const step = await subject.step(subject.plan(parts), { position, gates });
    check('differentiate, loss', Float32Array.of(step.loss), 1);
    check('differentiate, logits', step.logits, count * classes);
    check('differentiate, plan.prompts', step.plan.prompts, count * slots * width);
    if (position) check('differentiate, plan.position', step.plan.position, count * (slots + 1));
    if (gates) check('differentiate, plan.gates', step.plan.gates, count * slots);
    if (deep.length > 0) check('differentiate, plan.deep', step.plan.deep, deep.length);
    const names = [...step.head.keys()].sort().join();
    if (names !== [...subject.head.keys()].sort().join())
      throw subject.broken('differentiate, head', `it has gradients of ${names || 'nothing'}`, SIZES);
    for (const [name, { values }] of subject.head)
      check(`differentiate, head ${name}`, step.head.get(name), values.length);
    const plain = await subject.step(subject.plan());
    if (plain.plan.position || plain.plan.gates)
      throw subject.broken(
        'differentiate',
        'it returns gradients that were not asked for',
        'gradients of position and gates are there when they were asked for',
      );
    const length = Math.min(...examples.map((example) => backbone.lengthOf(example)));
    if (!(length > 0))
      throw subject.broken('lengthOf', `an example has the length ${length}`, 'lengths are counts from 1 on');
    await backbone.prepare?.(examples);
  },
};

function checkHead<Example>(
  { backbone, broken, options: { seed = 1 } }: Subject<Example>,
  check: (call: string, values: Float32Array | undefined, expected: number) => void,
): void {
  const first = backbone.initialHead(seed);
  for (const [name, { shape, values }] of first) check(`initialHead, ${name}`, values, sizeOf(shape));
  const contract = 'a head depends on its seed alone, and is a new one at every call';
  const valuesOf = (head: ParameterSet): Float32Array =>
    Float32Array.from([...head.values()].flatMap(({ values }) => [...values]));
  const before = valuesOf(first);
  for (const { values } of first.values()) values.fill(7);
  if (!isSame(valuesOf(backbone.initialHead(seed)), before))
    throw broken(
      'initialHead',
      'the same seed gives other values after the first head was changed',
      contract,
    );
  if (before.length > 0 && isSame(valuesOf(backbone.initialHead(seed + 1)), before))
    throw broken('initialHead', 'two seeds give the same values', contract);
}
