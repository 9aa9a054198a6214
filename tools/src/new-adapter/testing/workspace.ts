import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../..', import.meta.url));

/** What a package that is made in a copy of the workspace needs of it. */
const FILES = [
  'package.json',
  'package-lock.json',
  'tsconfig.base.json',
  'eslint.config.js',
  '.prettierrc.json',
  '.prettierignore',
  '.gitignore',
  'tools/jest',
];
const PACKAGES = ['core', 'onnx-autodiff', 'backbone', 'conformance', 'training', 'mini-models', 'vision'];
const LEFT_OUT = /[/\\](fixtures|models|node_modules)$/;

/** A copy of a part of the workspace, with its own node_modules full of links. */
export interface Workspace {
  readonly root: string;
  /** Runs a program of node_modules in a folder of the copy; what it prints comes with its exit code. */
  run(
    program: string,
    folder: string,
    ...options: readonly string[]
  ): { code: number | null; output: string };
  remove(): void;
}

/** Copies packages, their builds included, so that only what is new has to be compiled. */
export function copyWorkspace(): Workspace {
  const copy = realpathSync(mkdtempSync(join(tmpdir(), 'dynaprompt-workspace-')));
  const options = {
    recursive: true,
    preserveTimestamps: true,
    filter: (from: string) => !LEFT_OUT.test(from),
  };
  for (const file of FILES) cpSync(join(root, file), join(copy, file), options);
  for (const name of PACKAGES) cpSync(join(root, 'packages', name), join(copy, 'packages', name), options);
  const modules = join(copy, 'node_modules');
  mkdirSync(join(modules, '@dynaprompt'), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules')))
    if (name !== '@dynaprompt') symlinkSync(join(root, 'node_modules', name), join(modules, name));
  for (const name of PACKAGES) symlinkSync(`../../packages/${name}`, join(modules, '@dynaprompt', name));
  return {
    root: copy,
    run(program, folder, ...given) {
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        ['--experimental-vm-modules', '--no-warnings', join(root, 'node_modules', program), ...given],
        { cwd: join(copy, folder), encoding: 'utf8', env: { ...process.env, CI: 'true' } },
      );
      return { code: status, output: `${stdout}${stderr}` };
    },
    remove() {
      rmSync(copy, { recursive: true, force: true });
    },
  };
}
