import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PromptEntryPlace } from '@dynaprompt/backbone';
import type { Behaviour } from './measure.js';
import { pascalCase } from './adapter-name.js';

/** Texts by path within a package. */
export type Files = ReadonlyMap<string, string>;

/** Folders of templates by what rows are. The templates are code of these tools, compiled and linted with them. */
const FOLDERS: Readonly<Record<PromptEntryPlace['kind'], readonly string[]>> = {
  tokens: ['common', 'sequence', 'tokens'],
  values: ['common', 'sequence', 'values', 'drawn'],
  patches: ['common', 'patches', 'drawn'],
};
const templates = fileURLToPath(new URL('../../src/new-adapter/templates', import.meta.url));

/** Puts the name of an adapter in place of the templates'. */
export function named(text: string, name: string): string {
  return text.replaceAll('AdapterName', pascalCase(name)).replaceAll('adapter-name', name);
}

/** Sources of an adapter. */
export function renderSources(
  name: string,
  kind: PromptEntryPlace['kind'],
  {
    isCausal,
    hasPositions,
    modelFile,
  }: Pick<Behaviour, 'isCausal' | 'hasPositions'> & { readonly modelFile: string },
): Files {
  const sources = FOLDERS[kind].flatMap((folder) =>
    readdirSync(join(templates, folder)).map((file) => {
      const text = readFileSync(join(templates, folder, file), 'utf8')
        .replaceAll(/'\.\.\/\w+\/([\w-]+\.js)'/g, "'./$1'")
        .replaceAll("'onnx/model.onnx'", `'${modelFile}'`)
        .replaceAll('isCausal: false', `isCausal: ${isCausal}`)
        .replaceAll('hasPositions: true', `hasPositions: ${hasPositions}`);
      return [join('src', named(file, name)), named(text, name)] as const;
    }),
  );
  return new Map(sources);
}
