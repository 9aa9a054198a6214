import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { miniBert } from '@dynaprompt/mini-models';

/** Files of a backbone folder. */
export const BACKBONE_FILES = [
  'config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'onnx/model.onnx',
] as const;

/** A new empty folder, and how to remove it. */
export function temporaryFolder(): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'dynaprompt-text-'));
  return {
    folder,
    remove() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Makes `folder` a mini-bert in which some files have another content, or are missing (null). The model is linked, the small
 * files are copied.
 */
export function alteredBackbone(
  folder: string,
  changes: Readonly<Record<string, string | Uint8Array | null>>,
): string {
  mkdirSync(join(folder, 'onnx'), { recursive: true });
  for (const file of BACKBONE_FILES) {
    const change = changes[file];
    const target = join(folder, file);
    if (change === null) continue;
    mkdirSync(dirname(target), { recursive: true });
    if (change !== undefined) writeFileSync(target, change);
    else if (file.endsWith('.onnx')) symlinkSync(join(miniBert, file), target);
    else cpSync(join(miniBert, file), target);
  }
  return folder;
}
