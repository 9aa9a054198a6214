import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** An empty project in which a package is installed. */
export interface Project {
  readonly folder: string;
  readonly remove: () => Promise<void>;
}

/**
 * Installs what the README of a package says, in an empty project.
 *
 * Scripts of dependencies do not run: that of onnxruntime-node wants to download CUDA libraries.
 *
 * @param registry URL of the registry that has our packages; all else comes from the one that npm is set to
 */
export async function installAlone(packages: readonly string[], registry: string): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), 'dynaprompt-install-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
    writeFileSync(join(folder, '.npmrc'), `@dynaprompt:registry=${registry}\n`);
    await inProject(folder, 'npm', [
      'install',
      '--ignore-scripts',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      ...packages,
    ]);
  } catch (error) {
    await remove();
    throw error;
  }
  return { folder, remove };
}

/**
 * Runs a program in the project, as from the shell of somebody who knows nothing of this repository.
 *
 * @throws Error that ends with what the program printed
 */
export async function inProject(
  folder: string,
  program: string,
  parameters: readonly string[],
): Promise<string> {
  // npm hands its settings, such as ignore-scripts, down to what it starts.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(npm_(?!config_registry)|NODE_OPTIONS$|INIT_CWD$)/.test(name),
    ),
  );
  try {
    const { stdout } = await run(program, parameters, { cwd: folder, env, timeout: 300_000 });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    const printed = `${stdout}${stderr}`.trim().split('\n').slice(-15).join('\n');
    throw new Error(`${program} ${parameters.join(' ')} failed:\n${printed}`, { cause: error });
  }
}

/** Packages that the README tells to install, in the order in which it names them. */
export function namedPackages(readme: string): string[] {
  const lines = [...readme.matchAll(/^npm install (.*)$/gm)].map(([, line = '']) => line.replace(/#.*/, ''));
  return [...new Set(lines.flatMap((line) => line.split(/\s+/)))].filter(
    (word) => word !== '' && !word.startsWith('-'),
  );
}

/** Runs the first example of the README of an installed package: its first block of JavaScript. */
export async function runExample(folder: string, name: string): Promise<void> {
  const readme = readFileSync(join(folder, 'node_modules', name, 'README.md'), 'utf8');
  const [, code] = /```js\n(.*?)```/s.exec(readme) ?? [];
  if (code === undefined) throw new Error('the README has no block of JavaScript');
  writeFileSync(join(folder, 'example.js'), code);
  await inProject(folder, process.execPath, ['example.js']);
}

/** Bytes of all files under a folder, and the native addons among them. */
export function weigh(folder: string): { readonly bytes: number; readonly addons: readonly string[] } {
  if (!existsSync(folder)) return { bytes: 0, addons: [] };
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return {
    bytes: files.reduce((sum, file) => sum + statSync(file).size, 0),
    addons: files.filter((file) => file.endsWith('.node')),
  };
}
