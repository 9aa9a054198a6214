import type { PlanGradient, PromptPlan } from '@dynaprompt/core';

/** A plan with every example's row `times` in a row. */
export function repeatPlan(plan: PromptPlan | undefined, times: number): PromptPlan | undefined {
  if (!plan || times === 1) return plan;
  const { batch, position, deep, gates } = plan;
  const repeat = (values: Float32Array): Float32Array => {
    const size = values.length / batch;
    return Float32Array.from({ length: values.length * times }, (_, index) => {
      const example = Math.floor(index / (size * times));
      return values[example * size + (index % size)] ?? 0;
    });
  };
  return {
    ...plan,
    batch: batch * times,
    prompts: repeat(plan.prompts),
    position: { ...position, choice: Int32Array.from(repeat(Float32Array.from(position.choice))) },
    gates: gates && repeat(gates),
    ...(deep ? { deep: { ...deep, prompts: repeat(deep.prompts) } } : {}),
  };
}

/** The gradient of a plan from that of its repetition: rows of one example are summed. */
export function sumRepeated(gradient: PlanGradient, batch: number, times: number): PlanGradient {
  if (times === 1) return gradient;
  const sum = (values: Float32Array): Float32Array => {
    const size = values.length / (batch * times);
    return Float32Array.from({ length: batch * size }, (_, index) => {
      const start = Math.floor(index / size) * size * times + (index % size);
      let total = 0;
      for (let time = 0; time < times; time++) total += values[start + time * size] ?? 0;
      return total;
    });
  };
  return {
    prompts: sum(gradient.prompts),
    position: gradient.position && sum(gradient.position),
    gates: gradient.gates && sum(gradient.gates),
    deep: gradient.deep && sum(gradient.deep),
  };
}
