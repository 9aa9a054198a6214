import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { ModelError } from '@dynaprompt/core';

import { packageName } from '../package-name.js';

/** A file of an installed library, and its name in a site. */
export interface LibraryFile {
  readonly name: string;
  readonly source: string;
}

/** Files of each library that the page needs, and their names in a site; `static/index.html` maps imports to the modules. */
const NEEDED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '@huggingface/transformers': {
    'dist/transformers.web.min.js': 'transformers.web.min.js',
    LICENSE: 'transformers.LICENSE.txt',
  },
  // The build for WebAssembly alone: the smallest one that has all operators.
  'onnxruntime-web': {
    'dist/ort.wasm.bundle.min.mjs': 'ort.wasm.bundle.min.mjs',
    'dist/ort-wasm-simd-threaded.wasm': 'ort-wasm-simd-threaded.wasm',
  },
};

/** Where the libraries of the page lie. @throws ModelError when one is not installed. */
export function libraryFiles(): readonly LibraryFile[] {
  return Object.entries(NEEDED).flatMap(([library, files]) => {
    const root = rootOf(library);
    return Object.entries(files).map(([file, name]) => ({ name, source: join(root, file) }));
  });
}

/** The folder of an installed package. */
function rootOf(library: string): string {
  const require = createRequire(import.meta.url);
  try {
    // The entry lies in `dist`; package.json itself is not exported.
    return dirname(dirname(require.resolve(library)));
  } catch (cause) {
    throw new ModelError({
      packageName,
      subject: library,
      problem: 'it is not installed',
      remedy: 'Install the dependencies again (npm ci)',
      cause,
    });
  }
}
