import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);

/** Versions of what takes part in a run. */
export function versions(): Record<string, string> {
  return {
    node: process.version,
    dynaprompt: versionIn(fileURLToPath(new URL('..', import.meta.url))),
    'onnxruntime-node': installedVersion('onnxruntime-node', '@dynaprompt/onnx-autodiff'),
    transformers: installedVersion('@huggingface/transformers', '@dynaprompt/text'),
    tfjs: installedVersion('@tensorflow/tfjs-core', '@dynaprompt/core'),
  };
}

/** Version of a package as `owner`, which depends on it, sees it; `unknown` where it is not installed. */
function installedVersion(name: string, owner: string): string {
  const search = createRequire(require.resolve(owner)).resolve.paths(name) ?? [];
  const folder = search
    .map((place) => join(place, name))
    .find((place) => existsSync(join(place, 'package.json')));
  return folder === undefined ? 'unknown' : versionIn(folder);
}

function versionIn(folder: string): string {
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  return version;
}
