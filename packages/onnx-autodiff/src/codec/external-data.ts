import { realpathSync, statSync } from 'node:fs';
import { isAbsolute, join, resolve, sep } from 'node:path';
import { MalformedModelError } from '../errors.js';
import { byteLength } from '../graph/tensor-data.js';
import type { Tensor, TensorData } from '../graph/types.js';
import { bytesInFile, isLfsPointer } from './byte-source.js';

/** A path with its links followed, as far as it exists: files of the Hugging Face cache are links to blobs. */
export function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return resolve(file);
  }
}

/** Finds the files that the tensors of one model lie in (onnx.proto3, TensorProto.external_data). */
export class ExternalData {
  /** Sizes by path, undefined for what is no file. */
  readonly #sizes = new Map<string, number | undefined>();

  /** `folder` is undefined for a model given as bytes, which has no place to look for files. */
  constructor(
    private readonly model: string,
    private readonly folder: string | undefined,
  ) {}

  /**
   * The place that a tensor's `external_data` entries name.
   * @throws MalformedModelError if it lies outside the model's folder, is missing, or is shorter than the tensor.
   */
  locate({ name, dataType, dims }: Omit<Tensor, 'data'>, entries: ReadonlyMap<string, string>): TensorData {
    const location = entries.get('location') ?? '';
    const offset = Number(entries.get('offset') ?? 0);
    const length = Number(entries.get('length') ?? byteLength(dataType, dims) ?? Number.NaN);
    const problem = (what: string): MalformedModelError =>
      new MalformedModelError({
        subject: `${this.model}, tensor ${name}`,
        problem: `its external data (${location || 'no location'}) ${what}`,
        remedy: 'Put the .onnx_data file beside the model, or download the model again',
      });
    if (this.folder === undefined) throw problem('cannot be found for a model given as bytes');
    if (location === '' || isAbsolute(location) || location.split(/[\\/]/).includes('..')) {
      throw problem('lies outside the folder of the model');
    }
    if (![offset, length].every((value) => Number.isSafeInteger(value) && value >= 0)) {
      throw problem('has a malformed offset or length');
    }
    const file = realPath(join(this.folder, location.split(/[\\/]/).join(sep)));
    const size = this.#size(file);
    if (size === undefined) throw problem('is missing');
    if (offset + length > size && this.#isPointer(file))
      throw problem('is a git-lfs pointer, for which `git lfs pull` fetches the file');
    if (offset + length > size)
      throw problem(`ends at byte ${offset + length}, but the file has only ${size} bytes`);
    return { kind: 'file', file, offset, length };
  }

  #isPointer(file: string): boolean {
    const source = bytesInFile(file);
    try {
      return isLfsPointer(source);
    } finally {
      source.close();
    }
  }

  #size(file: string): number | undefined {
    if (!this.#sizes.has(file)) {
      let size: number | undefined;
      try {
        const status = statSync(file);
        size = status.isFile() ? status.size : undefined;
      } catch {
        // No such file, or a name that no file can have.
      }
      this.#sizes.set(file, size);
    }
    return this.#sizes.get(file);
  }
}
