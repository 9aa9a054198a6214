/** Dense arithmetic of the toy backbone, row by row, with its gradients written by hand. */

/** A deterministic stream of numbers in −1..1, for the toy's frozen weights. */
export function weightStream(seed: number): () => number {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 0x9e3779b9) >>> 0;
    const mixed = Math.imul(state ^ (state >>> 13), 3266489917) >>> 0;
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2147483648 - 1;
  };
}

/** `count` weights, uniform in ±scale. */
export function weights(count: number, scale: number, next: () => number): Float64Array {
  return Float64Array.from({ length: count }, () => scale * next());
}

/** y = tanh(W x), W [d, d]. */
export function tanhLayer(matrix: Float64Array, input: Float64Array): Float64Array {
  const width = input.length;
  return Float64Array.from({ length: width }, (_, row) => {
    let sum = 0;
    for (let column = 0; column < width; column++) {
      sum += (matrix[row * width + column] ?? 0) * (input[column] ?? 0);
    }
    return Math.tanh(sum);
  });
}

/** dL/dx of {@link tanhLayer} from its output y and dL/dy: Wᵀ ((1 − y²) ⊙ dL/dy). */
export function tanhLayerGradient(
  matrix: Float64Array,
  output: Float64Array,
  outputGradient: Float64Array,
): Float64Array {
  const width = output.length;
  const gradient = new Float64Array(width);
  for (let row = 0; row < width; row++) {
    const value = output[row] ?? 0;
    const inner = (1 - value * value) * (outputGradient[row] ?? 0);
    for (let column = 0; column < width; column++) {
      gradient[column] = (gradient[column] ?? 0) + (matrix[row * width + column] ?? 0) * inner;
    }
  }
  return gradient;
}

/** Cross-entropy of one row of logits in nats, and its gradient softmax − one-hot. */
export function crossEntropy(logits: Float64Array, label: number): { loss: number; gradient: Float64Array } {
  const top = Math.max(...logits);
  const exponentials = logits.map((logit) => Math.exp(logit - top));
  const total = exponentials.reduce((sum, value) => sum + value, 0);
  const gradient = exponentials.map((value, index) => value / total - (index === label ? 1 : 0));
  return { loss: Math.log(total) + top - (logits[label] ?? 0), gradient };
}

export function dot(left: Float64Array, right: Float64Array): number {
  return left.reduce((sum, value, index) => sum + value * (right[index] ?? 0), 0);
}
