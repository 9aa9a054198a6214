import type { GradientSet, ParameterSet, ParameterTensor } from '../contracts/tensor.js';
import { sizeOf } from '../contracts/tensor.js';
import { DataError, nullThrows } from '../errors.js';
import { clip } from './clipping.js';
import type { Optimiser, OptimiserState, OptimiserStep } from './optimiser.js';
import type { OptimiserOptions, Rates } from './options.js';
import { ratesOf } from './options.js';

/** One parameter at one step, as an {@link UpdateRule} sees it. */
export interface Update extends Rates {
  readonly shape: readonly number[];
  /** To be written. */
  readonly values: Float32Array;
  readonly gradient: Float32Array;
  /** Factor that clipping puts on the gradient. */
  readonly scale: number;
  /** Steps that this parameter has had, this one included: 1, 2, … */
  readonly count: number;
  /** What is remembered of the parameter under that name; to be written. */
  readonly memory: (name: string) => Float32Array;
}

/** The formula of an optimiser, for one parameter; names, shapes and rates are seen to by {@link optimiserOf}. */
export interface UpdateRule {
  /** As messages say it. */
  readonly name: string;
  /** Where options and groups name none. */
  readonly weightDecay: number;
  /** Shapes of what is remembered of a parameter, by name; zero at first. */
  memoryOf(shape: readonly number[]): Readonly<Record<string, readonly number[]>>;
  update(update: Update): void;
}

/** Name of a parameter's own step counter in a state. */
const STEPS = 'steps';

/** Makes an optimiser of a rule: groups, clipping, schedule and state are the same for all. */
export function optimiserOf(rule: UpdateRule, options: OptimiserOptions): Optimiser {
  return new RuleOptimiser(rule, options);
}

class RuleOptimiser implements Optimiser {
  #step = 0;
  /** Tensors by parameter and name, {@link STEPS} among them. */
  #memories = new Map<string, Map<string, ParameterTensor>>();

  constructor(
    private readonly rule: UpdateRule,
    private readonly options: OptimiserOptions,
  ) {}

  step(parameters: ParameterSet, gradients: GradientSet): OptimiserStep {
    const { rule, options } = this;
    const clipping = clip(parameters, gradients, options, (...given) => this.#unusable(...given));
    const moving = [...parameters].flatMap(([name, parameter]) => {
      const gradient = gradients.get(name);
      return gradient === undefined
        ? []
        : [{ name, parameter, gradient, memory: this.#memoryOf(name, parameter) }];
    });
    const step = this.#step++;
    const factor = (options.schedule ?? (() => 1))(step);
    for (const { name, parameter, gradient, memory } of moving) {
      this.#memories.set(name, memory);
      const at = (key: string): Float32Array =>
        nullThrows(memory.get(key), `'${name}' has a memory '${key}'`).values;
      const count = (at(STEPS)[0] ?? 0) + 1;
      at(STEPS)[0] = count;
      const { learningRate, weightDecay } = ratesOf(name, options, rule.weightDecay);
      const { shape, values } = parameter;
      const scale = clipping.scaleOf(name);
      rule.update({
        shape,
        values,
        gradient,
        scale,
        count,
        memory: at,
        learningRate: learningRate * factor,
        weightDecay,
      });
    }
    return { step, learningRate: options.learningRate * factor, gradientNorm: clipping.norm };
  }

  state(): OptimiserState {
    const tensors = new Map<string, ParameterTensor>();
    for (const [name, memory] of this.#memories) {
      for (const [key, { shape, values }] of memory) {
        tensors.set(`${name}/${key}`, { shape: [...shape], values: values.slice() });
      }
    }
    return { step: this.#step, tensors };
  }

  restore(state: OptimiserState): void {
    const memories = new Map<string, Map<string, ParameterTensor>>();
    for (const [path, { shape, values }] of state.tensors) {
      // Parameters of a graph may have slashes in their names.
      const cut = path.lastIndexOf('/');
      const name = path.slice(0, cut);
      const memory = memories.get(name) ?? new Map<string, ParameterTensor>();
      if (values.length !== sizeOf(shape)) {
        throw this.#unusable(
          `state '${path}'`,
          `has ${values.length} values for shape [${shape.join(', ')}]`,
        );
      }
      memory.set(path.slice(cut + 1), { shape: [...shape], values: values.slice() });
      memories.set(name, memory);
    }
    for (const [name, memory] of memories) {
      if (!memory.has(STEPS)) throw this.#unusable(`state of '${name}'`, `lacks '${STEPS}'`);
    }
    this.#memories = memories;
    this.#step = state.step;
  }

  /** The parameter's memory, fresh or checked against its shape; not kept yet. */
  #memoryOf(name: string, { shape }: ParameterTensor): Map<string, ParameterTensor> {
    const expected = Object.entries({ [STEPS]: [], ...this.rule.memoryOf(shape) });
    const known = this.#memories.get(name);
    if (known === undefined) {
      return new Map(
        expected.map(([key, own]) => [key, { shape: own, values: new Float32Array(sizeOf(own)) }]),
      );
    }
    const spelled = (entries: readonly (readonly [string, readonly number[]])[]): string =>
      entries
        .map(([key, own]) => `${key} [${own.join(', ')}]`)
        .sort()
        .join(', ');
    const found = spelled([...known].map(([key, tensor]) => [key, tensor.shape]));
    if (found === spelled(expected)) return known;
    throw this.#unusable(`state of '${name}'`, `holds ${found} where ${spelled(expected)} are needed`);
  }

  #unusable(subject: string, problem: string): DataError {
    return new DataError({
      packageName: '@dynaprompt/core',
      subject: `${this.rule.name}, ${subject}`,
      problem,
      remedy:
        'Pass gradients and state of these very parameters; lower the learning rate if training diverged',
    });
  }
}
