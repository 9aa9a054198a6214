import type { BackboneStep, GradientRequest, PromptPlan } from '@dynaprompt/core';

/** A step that is put together from the steps of parts of its batch. */
export class StepSum {
  #loss = 0;
  readonly #logits: Float32Array;
  readonly #prompts: Float32Array;
  readonly #position: Float32Array | undefined;
  readonly #gates: Float32Array | undefined;
  readonly #deep: Float32Array | undefined;
  readonly #head = new Map<string, Float32Array>();

  constructor(
    private readonly batch: number,
    private readonly classes: number,
    plan: PromptPlan,
    request: GradientRequest,
  ) {
    const { position, gates, prompts, deep } = plan;
    this.#logits = new Float32Array(batch * classes);
    this.#prompts = new Float32Array(prompts.length);
    this.#position = request.position ? new Float32Array(batch * position.candidates) : undefined;
    this.#gates = request.gates && gates ? new Float32Array(gates.length) : undefined;
    this.#deep = deep && new Float32Array(deep.prompts.length);
  }

  /** Adds the step of the `count` examples from `start` on. */
  place(start: number, count: number, { loss, logits, plan, head }: BackboneStep): void {
    const share = count / this.batch;
    this.#loss += share * loss;
    this.#logits.set(logits, start * this.classes);
    const put = (target: Float32Array | undefined, values: Float32Array | undefined): void => {
      if (!target || !values) return;
      const size = target.length / this.batch;
      target.set(share === 1 ? values : values.map((value) => share * value), start * size);
    };
    put(this.#prompts, plan.prompts);
    put(this.#position, plan.position);
    put(this.#gates, plan.gates);
    put(this.#deep, plan.deep);
    for (const [name, values] of head) {
      const sum = this.#head.get(name) ?? new Float32Array(values.length);
      this.#head.set(name, sum);
      values.forEach((value, index) => (sum[index] = (sum[index] ?? 0) + share * value));
    }
  }

  /** The whole batch's. */
  step(): BackboneStep {
    return {
      loss: this.#loss,
      logits: this.#logits,
      plan: {
        prompts: this.#prompts,
        position: this.#position,
        gates: this.#gates,
        deep: this.#deep,
      },
      head: this.#head,
    };
  }
}
