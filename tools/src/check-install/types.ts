import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import ts from 'typescript';

/**
 * What the compiler says of the declarations of an installed package and of ours that it brings along, to
 * somebody with strict settings.
 *
 * @param nodeTypes folder with `@types/node`
 */
export function typeProblems(folder: string, name: string, nodeTypes: string): string[] {
  const file = join(folder, 'types.ts');
  writeFileSync(
    file,
    `import * as api from '${name}';\nexport const names: readonly string[] = Object.keys(api);\n`,
  );
  const program = ts.createProgram([file], {
    strict: true,
    noEmit: true,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts'],
    types: ['node'],
    typeRoots: [nodeTypes],
  });
  return ts
    .getPreEmitDiagnostics(program)
    .filter(
      ({ file: source }) => !source || source.fileName === file || source.fileName.includes('/@dynaprompt/'),
    )
    .map(
      ({ file: source, messageText }) =>
        `${name}: ${source?.fileName.split('/node_modules/').at(-1) ?? 'types'}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    );
}
