import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** A package that takes part in a run, and one of this product that depends on it. */
export interface TakenPackage {
  /** Name in the results. */
  readonly name: string;
  readonly packageName: string;
  readonly owner: string;
}

/**
 * Versions of Node, of an application and of packages that take part in its runs.
 *
 * @param manifest `package.json` of the application; packages are looked for as it sees them.
 */
export function versionsOf(manifest: URL, packages: readonly TakenPackage[]): Record<string, string> {
  const require = createRequire(manifest);
  return {
    node: process.version,
    dynaprompt: versionIn(manifest),
    ...Object.fromEntries(
      packages.map(({ name, packageName, owner }) => [name, installedVersion(require, packageName, owner)]),
    ),
  };
}

/** Version of a package as `owner`, which depends on it, sees it; `unknown` where it is not installed. */
function installedVersion(require: NodeJS.Require, name: string, owner: string): string {
  const search = createRequire(require.resolve(owner)).resolve.paths(name) ?? [];
  const manifest = search
    .map((place) => join(place, name, 'package.json'))
    .find((place) => existsSync(place));
  return manifest === undefined ? 'unknown' : versionIn(manifest);
}

function versionIn(manifest: string | URL): string {
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  return version;
}
