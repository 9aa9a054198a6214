import { TestEnvironment } from 'jest-environment-node';

/**
 * onnxruntime checks tensors with `instanceof` against the outer realm's typed arrays,
 * jest gives every test file a realm of its own: share the constructors.
 */
export default class SharedTypedArraysEnvironment extends TestEnvironment {
  async setup() {
    await super.setup();
    for (const constructor of [
      ArrayBuffer,
      SharedArrayBuffer,
      DataView,
      Uint8Array,
      Int8Array,
      Uint8ClampedArray,
      Uint16Array,
      Int16Array,
      Uint32Array,
      Int32Array,
      BigInt64Array,
      BigUint64Array,
      Float32Array,
      Float64Array,
    ]) {
      this.global[constructor.name] = constructor;
    }
  }
}
