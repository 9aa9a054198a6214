import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { readMembers } from '../packages/workspace.js';
import { contentProblems, packPackage, type Tarball } from '../packages/pack.js';
import { inProject, installAlone, namedPackages, runExample, weigh } from './project.js';
import { serveRegistry } from './registry.js';
import { typeProblems } from './types.js';

/** A package, installed alone. Sizes in bytes. */
export interface InstallReport {
  readonly name: string;
  readonly tarball: number;
  readonly unpacked: number;
  /** All of node_modules, dependencies included. */
  readonly installed: number;
  readonly nativeAddons: number;
  readonly seconds: number;
  readonly problems: readonly string[];
}

/** Packages that install without any native addon: the rest needs onnxruntime or sharp. */
const NO_ADDONS = new Set(['@dynaprompt/core', '@dynaprompt/mini-models']);

/**
 * Packs every package, installs each alone in an empty project with what its README says, checks its
 * declarations, and runs the example of its README as it stands there.
 *
 * @param only names without the scope; all packages where it is empty
 */
export async function checkInstall(
  root: string,
  only: readonly string[],
  say: (line: string) => void,
): Promise<InstallReport[]> {
  const folders = readMembers(root)
    .filter(({ isPrivate, folder }) => !isPrivate && folder.startsWith('packages/'))
    .map(({ folder }) => folder);
  const archives = await mkdtemp(join(tmpdir(), 'dynaprompt-pack-'));
  try {
    const packed = folders.map((folder) => ({ folder, tarball: packPackage(root, folder, archives) }));
    const registry = await serveRegistry(packed.map(({ tarball }) => tarball));
    try {
      const wanted = packed.filter(
        ({ folder }) => only.length === 0 || only.includes(folder.slice('packages/'.length)),
      );
      const reports: InstallReport[] = [];
      const queue = wanted.entries();
      // Two at a time: one waits for the disk while the other computes.
      const work = async (): Promise<void> => {
        for (const [index, { folder, tarball }] of queue) {
          const report = await checkPackage(root, folder, tarball, registry.url);
          const [packedKilobytes, installed] = [tarball.size / 1e3, report.installed / 1e6];
          say(
            `${tarball.name}: ${packedKilobytes.toFixed(0)} kB, installed ${installed.toFixed(0)} MB, ` +
              `${report.seconds.toFixed(0)} s, ${report.problems.length} problems`,
          );
          reports[index] = report;
        }
      };
      await Promise.all([work(), work()]);
      return reports;
    } finally {
      await registry.close();
    }
  } finally {
    await rm(archives, { recursive: true, force: true });
  }
}

async function checkPackage(
  root: string,
  folder: string,
  tarball: Tarball,
  registry: string,
): Promise<InstallReport> {
  const start = performance.now();
  const { name } = tarball;
  const problems = contentProblems(root, folder, tarball);
  const attempt = async (what: string, body: () => Promise<void>): Promise<void> => {
    try {
      await body();
    } catch (error) {
      problems.push(`${name}: ${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  let weight: ReturnType<typeof weigh> = { bytes: 0, addons: [] };
  await attempt('types', () => wrongTypes(root, tarball));
  await attempt('alone', async () => {
    const readme = await readFile(join(root, folder, 'README.md'), 'utf8');
    const wanted = namedPackages(readme);
    if (!wanted.includes(name)) throw new Error('the README does not say how it is installed');
    const project = await installAlone(wanted, registry);
    try {
      weight = weigh(join(project.folder, 'node_modules'));
      await attempt('import', async () => {
        await inProject(project.folder, process.execPath, [
          '-e',
          `await import('${name}')`,
          '--input-type=module',
        ]);
      });
      problems.push(...typeProblems(project.folder, name, join(root, 'node_modules/@types')));
      await attempt('example', () => runExample(project.folder, name));
    } finally {
      await project.remove();
    }
  });
  if (NO_ADDONS.has(name)) {
    problems.push(...weight.addons.map((addon) => `${name}: brings the native addon ${addon}`));
  }
  return {
    name,
    tarball: tarball.size,
    unpacked: tarball.unpackedSize,
    installed: weight.bytes,
    nativeAddons: weight.addons.length,
    seconds: (performance.now() - start) / 1000,
    problems,
  };
}

/** Are the types wrong? Asked for users of ES modules. */
async function wrongTypes(root: string, { file }: Tarball): Promise<void> {
  try {
    await promisify(execFile)(
      process.execPath,
      [join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js'), file, '--profile', 'esm-only'],
      { cwd: root },
    );
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${stdout}${stderr}`.trim(), { cause: error });
  }
}
