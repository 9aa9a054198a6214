import { afterAll, describe, expect, it, jest } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { ConfigurationError } from '../errors.js';
import { requireBackend, selectBackend } from './select-backend.js';
import type { BackendPackage } from './select-backend.js';

function notInstalled(packageName: string): Error {
  return Object.assign(new Error(`Cannot find package '${packageName}' imported from here`), {
    code: 'ERR_MODULE_NOT_FOUND',
  });
}

/** Imports the packages named, and fails for the others as `failure` says. */
function loader(working: BackendPackage[], failure: (name: BackendPackage) => Error = notInstalled) {
  return async (packageName: BackendPackage): Promise<unknown> => {
    if (!working.includes(packageName)) throw failure(packageName);
    return import(packageName);
  };
}

const cpu = '@tensorflow/tfjs-backend-cpu';
const wasm = '@tensorflow/tfjs-backend-wasm';

describe('selectBackend', () => {
  const consoleWarn = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  afterAll(() => {
    consoleWarn.mockRestore();
  });

  it('does nothing at import; plans without a backend are refused', () => {
    expect(tf.getBackend()).toBeUndefined();
    expect(requireBackend).toThrow(/selectBackend/);
    expect(requireBackend).toThrow(ConfigurationError);
  });

  it('takes WebAssembly silently where the native packages are not installed', async () => {
    const warnings: string[] = [];
    const listeners = process.listenerCount('uncaughtException');
    const selected = await selectBackend({
      load: loader([wasm, cpu]),
      warn: (message) => warnings.push(message),
    });
    expect(selected).toEqual({ packageName: wasm, name: 'wasm', failed: [] });
    expect(warnings).toEqual([]);
    expect(requireBackend).not.toThrow();
    expect([...tf.add([1, 2], [3, 4]).dataSync()]).toEqual([4, 6]);
    expect(process.listenerCount('uncaughtException')).toBe(listeners);
  });

  it('can be called again', async () => {
    expect((await selectBackend({ packageName: wasm })).name).toBe('wasm');
  });

  it('falls back to plain JavaScript loudly, and without the banner of tfjs', async () => {
    const warnings: string[] = [];
    const selected = await selectBackend({
      load: loader([cpu]),
      warn: (message) => warnings.push(message),
    });
    expect(selected.name).toBe('cpu');
    expect(selected.failed.map(({ packageName }) => packageName)).toEqual([wasm]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(wasm);
    expect([...tf.add([1, 2], [3, 4]).dataSync()]).toEqual([4, 6]);
    expect(consoleWarn).not.toHaveBeenCalled();
  });

  it('warns of a native package that is installed and broken', async () => {
    const warnings: string[] = [];
    const broken = (name: BackendPackage): Error =>
      name === '@tensorflow/tfjs-node' ? new Error('libtensorflow.so.2 is missing') : notInstalled(name);
    const selected = await selectBackend({
      load: loader([wasm], broken),
      warn: (message) => warnings.push(message),
    });
    expect(selected.name).toBe('wasm');
    expect(selected.failed).toEqual([
      { packageName: '@tensorflow/tfjs-node', reason: 'libtensorflow.so.2 is missing' },
    ]);
    expect(warnings[0]).toContain('libtensorflow.so.2');
  });

  it('prefers a native package that works', async () => {
    // Stands in for libtensorflow: the same kernels under the name that tfjs-node registers.
    const register = async (): Promise<void> => {
      const { MathBackendCPU } = await import('@tensorflow/tfjs-backend-cpu');
      tf.copyRegisteredKernels('cpu', 'tensorflow');
      tf.registerBackend('tensorflow', () => new MathBackendCPU());
    };
    const selected = await selectBackend({ load: register });
    expect(selected).toEqual({
      packageName: '@tensorflow/tfjs-node-gpu',
      name: 'tensorflow',
      failed: [],
    });
  });

  it('does not fall back from a package that was asked for', async () => {
    const request = selectBackend({ packageName: wasm, load: loader([cpu]) });
    await expect(request).rejects.toThrow(ConfigurationError);
  });

  it('names all reasons when nothing works', async () => {
    const request = selectBackend({ load: loader([]), warn: () => undefined });
    await expect(request).rejects.toThrow(/tfjs-backend-wasm.*tfjs-backend-cpu/s);
  });
});
