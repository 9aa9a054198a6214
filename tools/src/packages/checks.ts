import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import ts from 'typescript';
import { readJson, repositoryFiles, type Member } from './workspace.js';

const LARGEST_FILE = 25e6;
const RUNTIME_FILE = 'packages/onnx-autodiff/src/session/runtime.ts';
/** Packages each room may not know (the arrows of the house point one way). */
const FORBIDDEN_IMPORTS: readonly {
  readonly folder: string;
  readonly pattern: RegExp;
  readonly reason: string;
}[] = [
  {
    folder: 'packages/core/',
    pattern: /@dynaprompt\/|onnxruntime|@huggingface\//,
    reason: 'core knows no model runtime',
  },
  {
    folder: 'packages/onnx-autodiff/',
    pattern: /@dynaprompt\/|@tensorflow\//,
    reason: 'the engine is useful alone',
  },
  {
    folder: 'packages/onnx-export/',
    pattern: /@dynaprompt\/(?!core|onnx-autodiff)/,
    reason: 'the export knows no backbone',
  },
  { folder: 'packages/training/', pattern: /@dynaprompt\/(?!core)/, reason: 'training knows contracts only' },
  {
    folder: 'packages/runner/',
    pattern: /@dynaprompt\/(?!core|training|benchmarks)/,
    reason: 'the runner knows no model',
  },
  { folder: 'packages/benchmarks/', pattern: /@dynaprompt\/(?!core)/, reason: 'benchmarks know no backbone' },
];

/** What publint says of a package's published files. */
export async function packageProblems(root: string, member: Member): Promise<string[]> {
  if (member.isPrivate) return [];
  const folder = join(root, member.folder);
  const { messages } = await publint({ pkgDir: folder, strict: true });
  const manifest = readJson(join(folder, 'package.json')) as Parameters<typeof formatMessage>[1];
  return messages
    .filter((message) => message.type !== 'suggestion')
    .map((message) => `${member.folder}: ${formatMessage(message, manifest) ?? message.code}`);
}

/** A missing project reference is silent: the build then takes whatever lies in dist. */
export function referenceProblems(members: readonly Member[]): string[] {
  const byName = new Map(members.map((member) => [member.name, member]));
  return members.flatMap((member) => {
    const wanted = [...member.dependencies].flatMap((name) => byName.get(name)?.folder ?? []);
    const missing = wanted.filter((folder) => !member.references.has(folder));
    const surplus = [...member.references].filter((folder) => !wanted.includes(folder));
    return [
      ...missing.map(
        (folder) =>
          `${member.folder}/tsconfig.json: no reference to ${folder}, which package.json depends on`,
      ),
      ...surplus.map(
        (folder) =>
          `${member.folder}/tsconfig.json: reference to ${folder}, which package.json does not name`,
      ),
    ];
  });
}

/** Imports against the arrows of the house, and onnxruntime outside its one file. */
export function importProblems(root: string): string[] {
  const sources = repositoryFiles(root).filter(
    (file) => /^(packages|apps)\/.*\.ts$/.test(file) && !file.includes('.test.'),
  );
  return sources.flatMap((file) => {
    const { importedFiles } = ts.preProcessFile(readFileSync(join(root, file), 'utf8'));
    const imports = importedFiles.map(({ fileName }) => fileName);
    const problems = FORBIDDEN_IMPORTS.filter(({ folder }) => file.startsWith(folder)).flatMap(
      ({ pattern, reason }) =>
        imports.filter((name) => pattern.test(name)).map((name) => `${file}: imports ${name}, but ${reason}`),
    );
    if (imports.includes('onnxruntime-node') && file !== RUNTIME_FILE) {
      problems.push(`${file}: imports onnxruntime-node, which only ${RUNTIME_FILE} may`);
    }
    return problems;
  });
}

/** Files that are too large, and a lock file that is tied to a host. */
export function fileProblems(root: string): string[] {
  const large = repositoryFiles(root)
    .filter((file) => (statSync(join(root, file), { throwIfNoEntry: false })?.size ?? 0) > LARGEST_FILE)
    .map((file) => `${file}: larger than ${LARGEST_FILE / 1e6} MB`);
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const hosts = [...lock.matchAll(/"resolved": "(https?:[^"]+)"/g)].map(
    ([, address = '']) => `package-lock.json: tied to ${address}`,
  );
  return [...large, ...hosts.slice(0, 3)];
}
