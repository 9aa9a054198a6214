import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { readJson } from './workspace.js';

/** A package as it would be published. */
export interface Tarball {
  readonly name: string;
  readonly version: string;
  /** Its manifest, as in the repository. */
  readonly manifest: Readonly<Record<string, unknown>>;
  /** The archive. */
  readonly file: string;
  /** Bytes of the archive. */
  readonly size: number;
  /** Bytes when unpacked. */
  readonly unpackedSize: number;
  /** Paths in the package. */
  readonly files: readonly string[];
  /** Subresource integrity of the archive. */
  readonly integrity: string;
}

interface PackReport {
  readonly name: string;
  readonly version: string;
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly integrity: string;
  readonly files: readonly { readonly path: string }[];
}

/** Packs a built package of the workspace, as `npm publish` would. */
export function packPackage(root: string, folder: string, destination: string): Tarball {
  const output = execFileSync(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', destination],
    { cwd: join(root, folder), encoding: 'utf8' },
  );
  const [report] = JSON.parse(output) as [PackReport];
  return {
    name: report.name,
    version: report.version,
    manifest: readJson(join(root, folder, 'package.json')) as Record<string, unknown>,
    file: join(destination, report.filename),
    size: report.size,
    unpackedSize: report.unpackedSize,
    files: report.files.map(({ path }) => path),
    integrity: report.integrity,
  };
}

/** What does not belong into a package, or is missing from it. */
export function contentProblems(root: string, folder: string, { files }: Tarball): string[] {
  const surplus = files
    .filter((file) => /\.test\.|(^|\/)testing\/|\.tsbuildinfo$|^src\/|(^|\/)(jest|tsconfig)/.test(file))
    .map((file) => `${folder}: ${file} is for development`);
  const missing = ['README.md', 'package.json', 'dist/index.js', 'dist/index.d.ts']
    .filter((file) => !files.includes(file))
    .map((file) => `${folder}: ${file} is not in the package`);
  const tied = files
    .filter((file) => /\.(js|ts|json|md)$/.test(file))
    .filter((file) => readFileSync(join(root, folder, file), 'utf8').includes(`${root}/`))
    .map((file) => `${folder}: ${file} names a path of this machine`);
  return [...surplus, ...missing, ...tied];
}
