import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';

import { type FrozenBackbone, ModelError, nullThrows } from '@dynaprompt/core';

import { cut } from '../data/order.js';
import { packageName } from '../package-name.js';
import { VectorStore } from './store.js';

/** `features`: mean of the last hidden state, what dynamic networks read. `pooled`: input of the head. */
export type FeatureKind = 'features' | 'pooled';

/** Where features are kept. */
export interface FeatureCacheOptions {
  /** Root of the cache; default: {@link defaultCacheFolder}. `false`: nothing is read from or written to disk. */
  readonly folder?: string | false;
  /** Told once when the cache folder cannot be used; work goes on without it. */
  readonly warn?: (message: string) => void;
}

/** Options of {@link FeatureCache.prepare}. */
export interface PrepareOptions {
  /** Told after every forward pass. */
  readonly progress?: ((progress: FeatureProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How far {@link FeatureCache.prepare} is, of what was not cached. */
export interface FeatureProgress {
  readonly kind: FeatureKind;
  readonly done: number;
  readonly total: number;
}

/** `$DYNAPROMPT_CACHE`, or `~/.cache/dynaprompt`. */
export function defaultCacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const configured = environment.DYNAPROMPT_CACHE;
  return configured === undefined || configured === '' ? join(homedir(), '.cache', 'dynaprompt') : configured;
}

const examplesPerFile = 1024;

/**
 * Vectors of the prompt-free frozen backbone, one per example. The backbone never changes, so each is computed once: it is
 * kept in memory, and on disk by backbone revision, element type and content of the example.
 */
export class FeatureCache<Example> {
  /** Held no longer than the examples: those of augmented batches come and go. */
  private readonly keys = new WeakMap<object, string>();
  private readonly stores = new Map<FeatureKind, Promise<VectorStore | undefined>>();
  private readonly vectors = {
    features: new Map<string, Float32Array>(),
    pooled: new Map<string, Float32Array>(),
  };
  private readonly folder: string | undefined;
  private warn: ((message: string) => void) | undefined;

  constructor(
    private readonly backbone: FrozenBackbone<Example>,
    options: FeatureCacheOptions = {},
  ) {
    this.folder = options.folder === false ? undefined : (options.folder ?? defaultCacheFolder());
    this.warn = options.warn;
  }

  /** Hexadecimal SHA-256 of what makes an example's vector: its content, and its length once truncated. */
  keyOf(example: Example): string {
    const owner = Object(example) as object;
    const known = this.keys.get(owner);
    if (known !== undefined) return known;
    const key = createHash('sha256')
      .update(this.backbone.identify(example))
      .update(`\0${this.backbone.lengthOf(example)}`)
      .digest('hex');
    this.keys.set(owner, key);
    return key;
  }

  /** Makes sure that the vectors of `examples` are in memory, from disk or computed. */
  async prepare(
    kind: FeatureKind,
    examples: readonly Example[],
    options: PrepareOptions = {},
  ): Promise<void> {
    const known = this.vectors[kind];
    const missing = new Map<string, Example>();
    for (const example of examples) {
      const key = this.keyOf(example);
      if (!known.has(key)) missing.set(key, example);
    }
    if (missing.size === 0) return;
    const store = await this.store(kind);
    for (const [key, vector] of (await store?.read(missing.keys())) ?? []) {
      known.set(key, vector);
      missing.delete(key);
    }
    const total = missing.size;
    let done = 0;
    // One example a pass: its vector does not depend, not even in the last bit, on which others are asked for with it.
    const pending = [...missing];
    for (const group of cut(pending, examplesPerFile)) {
      for (const [at, [key, example]] of group.entries()) {
        options.signal?.throwIfAborted();
        await this.backbone.prepare?.(group.slice(at + 1, at + 2).map(([, next]) => next));
        known.set(key, await this.compute(kind, example));
        options.progress?.({ kind, done: ++done, total });
        await setImmediate();
      }
      await this.save(
        kind,
        store,
        group.map(([key]) => key),
      );
    }
  }

  /** Vectors of a batch, [B, d]. */
  async read(kind: FeatureKind, examples: readonly Example[]): Promise<Float32Array> {
    await this.prepare(kind, examples);
    const { width } = this.backbone;
    const rows = new Float32Array(examples.length * width);
    examples.forEach((example, row) => {
      rows.set(
        nullThrows(this.vectors[kind].get(this.keyOf(example)), 'features were prepared'),
        row * width,
      );
    });
    return rows;
  }

  private async compute(kind: FeatureKind, example: Example): Promise<Float32Array> {
    const rows = await this.backbone[kind]([example]);
    const expected = this.backbone.width;
    const { name } = this.backbone.description;
    if (rows.length !== expected) {
      throw new ModelError({
        packageName,
        subject: name,
        problem: `${kind} of an example gave ${rows.length} numbers where ${expected} were expected`,
        remedy: 'Correct the backbone adapter, its width must be that of its features',
      });
    }
    if (!rows.every(Number.isFinite)) {
      throw new ModelError({
        packageName,
        subject: name,
        problem: `${kind} of the frozen model are not finite`,
        remedy: 'Check the model file, or choose an export in a wider element type (fp32)',
      });
    }
    return rows;
  }

  private async save(
    kind: FeatureKind,
    store: VectorStore | undefined,
    keys: readonly string[],
  ): Promise<void> {
    if (store === undefined) return;
    const { width } = this.backbone;
    const rows = new Float32Array(keys.length * width);
    keys.forEach((key, row) => {
      rows.set(nullThrows(this.vectors[kind].get(key), 'features were computed'), row * width);
    });
    await store.write(keys, rows).catch((error: unknown) => {
      this.complain(error);
    });
  }

  private store(kind: FeatureKind): Promise<VectorStore | undefined> {
    const opened = this.stores.get(kind);
    if (opened !== undefined) return opened;
    const { folder } = this;
    if (folder === undefined) return Promise.resolve(undefined);
    const { revision, dtype } = this.backbone.description;
    const backboneFolder = `${revision}-${dtype}`.replace(/[^A-Za-z0-9._-]/g, '_');
    const opening = VectorStore.open(
      join(folder, 'features', backboneFolder, kind),
      this.backbone.width,
    ).catch((error: unknown) => {
      this.complain(error);
      return undefined;
    });
    this.stores.set(kind, opening);
    return opening;
  }

  private complain(error: unknown): void {
    this.warn?.(
      `the feature cache cannot be used (${error instanceof Error ? error.message : String(error)}); ` +
        'features are computed anew, set DYNAPROMPT_CACHE to a writable folder',
    );
    this.warn = undefined;
  }
}
