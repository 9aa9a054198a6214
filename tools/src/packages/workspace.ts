import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** A member of the workspace. */
export interface Member {
  /** Folder relative to the root. */
  readonly folder: string;
  readonly name: string;
  readonly isPrivate: boolean;
  /** Runtime, peer and development dependencies. */
  readonly dependencies: ReadonlySet<string>;
  /** Those that its users get. */
  readonly runtimeDependencies: ReadonlySet<string>;
  /** Folders that its tsconfig.json references, relative to the root. */
  readonly references: ReadonlySet<string>;
}

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** Files of the repository that are there: tracked, and untracked ones that are not ignored. */
export function repositoryFiles(root: string): string[] {
  const listing = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  return listing.split('\n').filter((file) => file !== '' && existsSync(join(root, file)));
}

export function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

export function readMembers(root: string): Member[] {
  const manifests = repositoryFiles(root).filter((file) =>
    /^(packages|apps)\/[^/]+\/package\.json$|^tools\/package\.json$/.test(file),
  );
  return manifests.map((file) => {
    const folder = dirname(file);
    const manifest = readJson(join(root, file)) as Manifest;
    const config = readJson(join(root, folder, 'tsconfig.json')) as { references?: { path: string }[] };
    return {
      folder,
      name: manifest.name,
      isPrivate: manifest.private === true,
      dependencies: new Set([
        ...Object.keys(manifest.dependencies ?? {}),
        ...Object.keys(manifest.devDependencies ?? {}),
        ...Object.keys(manifest.peerDependencies ?? {}),
      ]),
      runtimeDependencies: new Set([
        ...Object.keys(manifest.dependencies ?? {}),
        ...Object.keys(manifest.peerDependencies ?? {}),
      ]),
      references: new Set(
        (config.references ?? []).map(({ path }) => relative(root, join(root, folder, path))),
      ),
    };
  });
}
