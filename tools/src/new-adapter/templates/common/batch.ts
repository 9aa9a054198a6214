import {
  activeTokens,
  arrangeSequences,
  logGate,
  promptFeeds,
  PROMPT_INPUT,
  type PromptedBatch,
  type Purpose,
} from '@dynaprompt/backbone';
import { ConfigurationError, nullThrows, PADDING, type PromptPlan } from '@dynaprompt/core';
import { float32, int64 } from '@dynaprompt/onnx-autodiff';
import { layoutOf, type AdapterNameExample } from '../tokens/example.js';
import { contentInputs, rowOf } from '../tokens/inputs.js';
import type { AdapterNameModel } from '../sequence/model.js';
import { ROW_WEIGHTS } from './head.js';
import { PACKAGE_NAME } from './package-name.js';

/** Added to the attention scores of a row that is attended by nobody: e^x is 0 in single precision. */
const UNATTENDED = -1e9;

/**
 * Examples and plan as inputs of the graph.
 * @throws ConfigurationError if the model is causal and gates are to be trained: no row would see a token that is off.
 */
export function arrangeBatch(
  model: AdapterNameModel,
  examples: readonly AdapterNameExample[],
  plan: PromptPlan | undefined,
  purpose: Purpose,
): PromptedBatch {
  const isSoft = purpose === 'training' && plan?.gates !== undefined;
  if (isSoft && model.isCausal) throw blindGates(model);
  const own = examples.map((example) => layoutOf({ model, example }));
  const arranged = arrangeSequences(own, plan, isSoft ? 'soft' : 'hard');
  const { layouts, tables, shape } = arranged;
  const { slots, total } = shape;
  const dims = [examples.length, total];
  const active = activeTokens(plan, examples.length);
  const order = new Int32Array(tables.length);
  const bias = new Float32Array(tables.length);
  const weights = new Float32Array(tables.length);
  tables.forEach((source, place) => {
    const index = Math.floor(place / total);
    const { before, content, after } = nullThrows(layouts[index], 'every example has a layout');
    const on = active[index] ?? 0;
    const isPrompt = source !== PADDING && source < slots;
    order[place] = isPrompt ? source : rowOf({ source, place: place % total, slots });
    if (isPrompt && isSoft)
      bias[place] = logGate(nullThrows(plan, 'soft batches have a plan'), index, source);
    else if (source === PADDING || (isPrompt && source >= on)) bias[place] = UNATTENDED;
    const rows = before + content + after;
    // A row that sees all in front of it stands for the example; where rows see each other, the mean of its own does.
    if (model.isCausal && purpose !== 'features') weights[place] = place % total === rows + on - 1 ? 1 : 0;
    else weights[place] = source >= slots ? 1 / rows : 0;
  });
  const isGated = isSoft || bias.some((value) => value !== 0);
  return {
    ...arranged,
    feeds: {
      ...contentInputs({ model, examples, arranged }),
      ...promptFeeds(plan, arranged, model.width),
      [PROMPT_INPUT.order]: int64(order, dims),
      [ROW_WEIGHTS]: float32(weights, dims),
      ...(isGated ? { [PROMPT_INPUT.keyBias]: float32(bias, dims) } : {}),
    },
  };
}

function blindGates({ file }: AdapterNameModel): ConfigurationError {
  return new ConfigurationError({
    packageName: PACKAGE_NAME,
    subject: `gates with ${file}`,
    problem: 'its rows see those in front of them only, so a prompt token that is off would get no gradient',
    remedy: 'Train a prompt of fixed length',
  });
}
