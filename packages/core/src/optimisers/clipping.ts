import type { GradientSet, ParameterSet } from '../contracts/tensor.js';
import type { DataError } from '../errors.js';

/** How long gradients may be. */
export interface ClippingOptions {
  /** Gradients are scaled down so that their norm does not exceed this. Default: no clipping. */
  readonly clipNorm?: number | undefined;
  /**
   * Whose norm `clipNorm` bounds: that of all gradients together (default), or of each tensor's own. The gradient of a gate at
   * γ = 0 can be hundreds of times that of a prompt; clipped together, it would silence the prompt.
   */
  readonly clipScope?: 'all' | 'tensor' | undefined;
}

/** How a step's gradients are scaled. */
export interface Clipping {
  /** L2 norm over all gradients, before clipping. */
  readonly norm: number;
  /** Factor of a gradient, ≤ 1. */
  readonly scaleOf: (name: string) => number;
}

/** Measures gradients; throws what `complain` makes of one that belongs to no parameter, has another size or is not finite. */
export function clip(
  parameters: ParameterSet,
  gradients: GradientSet,
  { clipNorm = Infinity, clipScope = 'all' }: ClippingOptions,
  complain: (subject: string, problem: string) => DataError,
): Clipping {
  const norms = new Map<string, number>();
  for (const [name, gradient] of gradients) {
    const parameter = parameters.get(name);
    if (parameter === undefined) throw complain(`gradient '${name}'`, 'belongs to no parameter');
    const size = parameter.values.length;
    if (gradient.length !== size) {
      throw complain(`gradient '${name}'`, `has ${gradient.length} values for ${size}`);
    }
    let square = 0;
    for (let index = 0; index < size; index++) square += (gradient[index] ?? 0) ** 2;
    if (!Number.isFinite(square)) throw complain(`gradient '${name}'`, 'is not finite');
    norms.set(name, Math.sqrt(square));
  }
  const norm = Math.sqrt([...norms.values()].reduce((sum, value) => sum + value * value, 0));
  const scale = (value: number): number => (value > clipNorm ? clipNorm / value : 1);
  return {
    norm,
    scaleOf: (name) => scale(clipScope === 'all' ? norm : (norms.get(name) ?? 0)),
  };
}
