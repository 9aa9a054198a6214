import * as tf from '@tensorflow/tfjs-core';
import type { GradConfig, NamedAttrMap } from '@tensorflow/tfjs-core';
import { nullThrows } from '../errors.js';

/**
 * Derivatives of the operations that the prompt networks use. On Node tfjs-core comes without any: its own stand in modules
 * that Node cannot load, and only the complete `@tensorflow/tfjs` bundle brings them. dy is the gradient of the output.
 */
const gradients: readonly GradConfig[] = [
  {
    // c = a + b:  da = dy, db = dy
    kernelName: tf.Add,
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, saved) => {
      const [a, b] = pair(saved);
      return { a: () => sumTo(one(dy), a.shape), b: () => sumTo(one(dy), b.shape) };
    },
  },
  {
    // c = a b:  da = dy b, db = dy a
    kernelName: tf.Multiply,
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, saved) => {
      const [a, b] = pair(saved);
      return {
        a: () => sumTo(tf.mul(one(dy), b), a.shape),
        b: () => sumTo(tf.mul(one(dy), a), b.shape),
      };
    },
  },
  {
    // C = A B:  dA = dy Bᵀ, dB = Aᵀ dy;  C = A Bᵀ:  dA = dy B, dB = dyᵀ A; and so on for Aᵀ
    kernelName: tf.BatchMatMul,
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, saved, attributes) => {
      const [a, b] = pair(saved);
      const { transposeA, transposeB } = attributes as { transposeA: boolean; transposeB: boolean };
      return {
        a: () =>
          transposeA ? tf.matMul(b, one(dy), transposeB, true) : tf.matMul(one(dy), b, false, !transposeB),
        b: () =>
          transposeB ? tf.matMul(one(dy), a, true, transposeA) : tf.matMul(a, one(dy), !transposeA, false),
      };
    },
  },
  {
    // y = softmax(x):  dx = y (dy − Σ dy y)
    kernelName: tf.Softmax,
    outputsToSave: [true],
    gradFunc: (dy, saved, attributes) => {
      const y = one(saved);
      const { dim } = attributes as { dim: number };
      return { logits: () => tf.mul(y, tf.sub(one(dy), tf.sum(tf.mul(one(dy), y), dim, true))) };
    },
  },
  {
    // y = max(x, 0):  dx = dy where x > 0
    kernelName: tf.Relu,
    inputsToSave: ['x'],
    gradFunc: (dy, saved) => ({ x: () => tf.mul(one(dy), tf.step(one(saved))) }),
  },
  {
    // the same values in another shape
    kernelName: tf.Reshape,
    inputsToSave: ['x'],
    gradFunc: (dy, saved) => ({ x: () => tf.reshape(one(dy), one(saved).shape) }),
  },
  {
    // y = Σ x over some axes:  dx = dy along them
    kernelName: tf.Sum,
    inputsToSave: ['x'],
    gradFunc: (dy, saved, attributes) => {
      const { shape } = one(saved);
      const axes = tf.util.parseAxisParam(axisOf(attributes), shape);
      const kept = shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
      return { x: () => tf.mul(tf.reshape(one(dy), kept), tf.ones(shape)) };
    },
  },
];

/** Adds the derivatives that tfjs does not have yet. */
export function registerGradients(): void {
  for (const gradient of gradients) {
    const known = tf.getGradient(gradient.kernelName) as GradConfig | undefined;
    if (known === undefined) tf.registerGradient(gradient);
  }
}

function axisOf(attributes: NamedAttrMap): number | number[] {
  return (attributes as { axis: number | number[] }).axis;
}

function one(tensors: tf.Tensor | readonly tf.Tensor[]): tf.Tensor {
  return tensors instanceof tf.Tensor ? tensors : nullThrows(tensors[0], 'a saved tensor');
}

function pair(tensors: readonly tf.Tensor[]): [tf.Tensor, tf.Tensor] {
  return [one(tensors), nullThrows(tensors[1], 'a second saved tensor')];
}

/** Undoes broadcasting: sums over the axes that were repeated. */
function sumTo(gradient: tf.Tensor, shape: number[]): tf.Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, gradient.shape);
  return tf.reshape(axes.length > 0 ? tf.sum(gradient, axes) : gradient, shape);
}
