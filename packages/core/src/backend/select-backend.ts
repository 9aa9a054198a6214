import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import type * as wasmModule from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { ConfigurationError } from '../errors.js';
import { registerGradients } from './gradients.js';

/** Package that supplies a tfjs backend, fastest first. */
export type BackendPackage =
  | '@tensorflow/tfjs-node-gpu'
  | '@tensorflow/tfjs-node'
  | '@tensorflow/tfjs-backend-wasm'
  | '@tensorflow/tfjs-backend-cpu';

/** Options of {@link selectBackend}. */
export interface BackendOptions {
  /** Take this package or fail. Without it the first package that works is taken. */
  readonly packageName?: BackendPackage | undefined;
  /** Hears of every installed backend that does not work. Default: a process warning. */
  readonly warn?: ((message: string) => void) | undefined;
  /** Imports a package. Default: `import()`. */
  readonly load?: ((packageName: BackendPackage) => Promise<unknown>) | undefined;
}

/** What {@link selectBackend} settled on. */
export interface SelectedBackend {
  readonly packageName: BackendPackage;
  /** Name of the backend in tfjs: `tensorflow`, `wasm` or `cpu`. */
  readonly name: string;
  /** Packages that are installed and failed, with the reason. */
  readonly failed: readonly { readonly packageName: BackendPackage; readonly reason: string }[];
}

type WasmModule = typeof wasmModule;

const backendNames: Readonly<Record<BackendPackage, string>> = {
  '@tensorflow/tfjs-node-gpu': 'tensorflow',
  '@tensorflow/tfjs-node': 'tensorflow',
  '@tensorflow/tfjs-backend-wasm': 'wasm',
  '@tensorflow/tfjs-backend-cpu': 'cpu',
};

/**
 * Chooses the tfjs backend that computes the prompt networks: tfjs-node-gpu or tfjs-node where the user has installed them,
 * else WebAssembly, else plain JavaScript (about ten times slower). Call it once, before the first plan. An installed
 * backend that fails is passed over with a warning.
 *
 * @throws ConfigurationError when the requested package, or every package, cannot be used.
 */
export async function selectBackend(options: BackendOptions = {}): Promise<SelectedBackend> {
  const { packageName, warn = warnProcess, load = importPackage } = options;
  const order = packageName === undefined ? backendPackages() : [packageName];
  const failed: { packageName: BackendPackage; reason: string }[] = [];
  for (const candidate of order) {
    try {
      const name = await activate(candidate, load);
      registerGradients();
      return { packageName: candidate, name, failed };
    } catch (error) {
      if (packageName !== undefined) throw unusable(candidate, error);
      if (isNotInstalled(error, candidate) && backendNames[candidate] === 'tensorflow') continue;
      failed.push({ packageName: candidate, reason: reasonOf(error) });
      warn(`@dynaprompt/core: ${candidate} cannot be used, falling back: ${reasonOf(error)}`);
    }
  }
  throw unusable(order.join(', '), failed.map(({ reason }) => reason).join('; '));
}

/** Throws a {@link ConfigurationError} unless a backend has been selected. */
export function requireBackend(): void {
  // Typed as string, but undefined before the first setBackend.
  const name = tf.getBackend() as string | undefined;
  if (name !== undefined) return;
  throw new ConfigurationError({
    packageName: '@dynaprompt/core',
    subject: 'tfjs backend',
    problem: 'none is selected',
    remedy: 'Call `await selectBackend()` once before the first plan',
  });
}

function backendPackages(): BackendPackage[] {
  return Object.keys(backendNames) as BackendPackage[];
}

async function activate(
  packageName: BackendPackage,
  load: (packageName: BackendPackage) => Promise<unknown>,
): Promise<string> {
  const name = backendNames[packageName];
  const loaded = await load(packageName);
  if (name === 'wasm') configureWasm(loaded as WasmModule);
  // The plain backend advertises another package on its first use.
  if (name === 'cpu') tf.enableProdMode();
  const restoreListeners = rememberListeners();
  const ready = await tf.setBackend(name).finally(restoreListeners);
  if (!ready) throw new Error(`tfjs could not initialise backend '${name}'`);
  return name;
}

/** The WebAssembly runtime installs process-wide error handlers that rethrow; they are the host program's business. */
function rememberListeners(): () => void {
  const events = ['uncaughtException', 'unhandledRejection'];
  const before = new Map(events.map((event) => [event, new Set(process.rawListeners(event))]));
  return () => {
    for (const [event, known] of before) {
      for (const listener of process.rawListeners(event)) {
        if (!known.has(listener)) process.removeListener(event, listener as () => void);
      }
    }
  };
}

/** The binaries lie beside the package's code; tfjs would look for them beside the running script. */
function configureWasm(wasm: WasmModule): void {
  if ('wasm' in tf.engine().registry) return;
  const require = createRequire(import.meta.url);
  wasm.setWasmPaths(join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')), sep));
}

async function importPackage(packageName: BackendPackage): Promise<unknown> {
  return import(packageName);
}

function isNotInstalled(error: unknown, packageName: string): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const missing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
  return missing && reasonOf(error).includes(`'${packageName}'`);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function warnProcess(message: string): void {
  process.emitWarning(message, { type: 'DynaPromptBackend' });
}

function unusable(subject: string, cause: unknown): ConfigurationError {
  return new ConfigurationError({
    packageName: '@dynaprompt/core',
    subject: `tfjs backend ${subject}`,
    problem: `cannot be used: ${reasonOf(cause)}`,
    remedy: 'Reinstall the dependencies of @dynaprompt/core, or request another backend',
    cause,
  });
}
