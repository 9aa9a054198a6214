import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

import { selectBackend } from '@dynaprompt/core';
import { defaultCacheFolder } from '@dynaprompt/training';

/** What was found: `fail` prevents work, `warn` does not. */
export interface Finding {
  readonly name: string;
  readonly state: 'ok' | 'warn' | 'fail';
  /** In words, with the remedy where something is wrong. */
  readonly text: string;
  /** The same for programs. */
  readonly details: Readonly<Record<string, unknown>>;
}

const gibibyte = 2 ** 30;
const oldestNode = 20;

export function checkNode(version: string = process.versions.node): Finding {
  const isNew = Number.parseInt(version, 10) >= oldestNode;
  const platform = `${process.platform} ${process.arch}`;
  return {
    name: 'node',
    state: isNew ? 'ok' : 'fail',
    text: isNew ? `${version}, ${platform}` : `${version} is too old: install ${oldestNode} or newer`,
    details: { version, platform },
  };
}

/** What of onnxruntime-node is looked at. */
interface Runtime {
  listSupportedBackends(): readonly { readonly name: string }[];
}

/**
 * Whether the native library of onnxruntime loads, and what it can compute on.
 *
 * @param manifest `package.json` of the application, which reaches the package by way of ours.
 */
export function checkRuntime(manifest: URL, version: string): Finding {
  try {
    const owner = createRequire(manifest).resolve('@dynaprompt/onnx-autodiff');
    const runtime = createRequire(owner)('onnxruntime-node') as Runtime;
    const providers = runtime.listSupportedBackends().map(({ name }) => name);
    const text = `${version}, built with ${providers.join(', ')}`;
    return { name: 'onnxruntime', state: 'ok', text, details: { version, providers } };
  } catch (error) {
    const [reason = ''] = (error as Error).message.split('\n');
    const text = `its native library does not load (${reason}): install again with npm ci, on a supported platform`;
    return { name: 'onnxruntime', state: 'fail', text, details: { version, reason } };
  }
}

export async function checkNetworks(version: string): Promise<Finding> {
  try {
    const { name, packageName, failed } = await selectBackend({ warn: () => undefined });
    const others = failed.map(({ packageName: other, reason }) => `; ${other} fails: ${reason}`).join('');
    const isSlow = name === 'cpu';
    const hint = isSlow ? ', plain JavaScript, about ten times slower than wasm' : '';
    return {
      name: 'tfjs',
      state: isSlow || failed.length > 0 ? 'warn' : 'ok',
      text: `${version}, backend ${name} (${packageName})${hint}${others}`,
      details: { version, backend: name, package: packageName },
    };
  } catch (error) {
    return { name: 'tfjs', state: 'fail', text: (error as Error).message, details: { version } };
  }
}

export function checkMemory(): Finding {
  // In a container the limit counts, not the machine; 0 and absurd numbers mean that there is none.
  const limit = process.constrainedMemory();
  const total = limit > 0 && limit < totalmem() ? limit : totalmem();
  const available = Math.min(process.availableMemory(), total);
  const isShort = available < gibibyte;
  const numbers = `${inGibibytes(available)} of ${inGibibytes(total)} GiB available`;
  return {
    name: 'memory',
    state: isShort ? 'warn' : 'ok',
    text: isShort ? `${numbers}: a base model needs about 1 to 3` : numbers,
    details: { total, available, free: freemem() },
  };
}

export function checkCores(): Finding {
  const cores = availableParallelism();
  return { name: 'cores', state: 'ok', text: `${cores}`, details: { cores } };
}

/** The folder in which features are kept; work goes on without it. */
export async function checkCache(folder: string = defaultCacheFolder()): Promise<Finding> {
  const place = nearest(folder);
  try {
    accessSync(place, constants.W_OK);
    const { bavail, bsize } = await statfs(place);
    const free = bavail * bsize;
    const isShort = free < gibibyte;
    const text = `${folder}, ${inGibibytes(free)} GiB free${isShort ? ': make space, or set DYNAPROMPT_CACHE' : ''}`;
    return { name: 'cache', state: isShort ? 'warn' : 'ok', text, details: { folder, free } };
  } catch {
    const text = `${folder} cannot be written: features are computed anew each time; set DYNAPROMPT_CACHE`;
    return { name: 'cache', state: 'warn', text, details: { folder, free: null } };
  }
}

/** Whether models can be downloaded; those in folders and bundled ones need no network. */
export async function checkHub(
  { HF_ENDPOINT }: NodeJS.ProcessEnv = process.env,
  milliseconds = 1000,
): Promise<Finding> {
  const url = HF_ENDPOINT === undefined || HF_ENDPOINT === '' ? 'https://huggingface.co' : HF_ENDPOINT;
  const answer = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(milliseconds) }).then(
    ({ status }) => ({ status }),
    (error: unknown) => ({ reason: reasonOf(error) }),
  );
  if ('status' in answer && answer.status < 500) {
    return { name: 'hub', state: 'ok', text: url, details: { url, reachable: true } };
  }
  const reason = 'status' in answer ? `status ${answer.status}` : answer.reason;
  const text = `${url} is out of reach (${reason}): bundled models and folders work, hub ids only from the cache`;
  return { name: 'hub', state: 'warn', text, details: { url, reachable: false, reason } };
}

function reasonOf(error: unknown): string {
  const { name, cause, message } = error as Error;
  if (name === 'TimeoutError') return 'no answer in time';
  return (cause as NodeJS.ErrnoException | undefined)?.code ?? message;
}

/** A bundled model, as far as it is looked at. */
export interface BundledFolder {
  readonly name: string;
  readonly folder: string;
}

export function checkModels(models: readonly BundledFolder[]): Finding {
  const faults = models.flatMap(({ name, folder }) => {
    const problem = problemOf(folder);
    return problem === undefined ? [] : [`${name} ${problem}`];
  });
  const names = models.map(({ name }) => name);
  return {
    name: 'models',
    state: faults.length === 0 ? 'ok' : 'fail',
    text: faults.length === 0 ? names.join(', ') : `${faults.join('; ')}: install again, or git lfs pull`,
    details: { names, faults },
  };
}

function problemOf(folder: string): string | undefined {
  if (!existsSync(join(folder, 'config.json'))) return `has no config.json in ${folder}`;
  const model = join(folder, 'onnx', 'model.onnx');
  if (!existsSync(model)) return `has no ${model}`;
  const { size } = statSync(model);
  const isPointer = size < 1024 && readFileSync(model, 'utf8').startsWith('version https://git-lfs');
  return size === 0 || isPointer ? `has only a pointer or nothing in ${model}` : undefined;
}

function nearest(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : nearest(dirname(folder));
}

function inGibibytes(bytes: number): string {
  return (bytes / gibibyte).toFixed(1);
}
