import { existsSync, lstatSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigurationError } from '@dynaprompt/core';
import { PACKAGE_NAME } from './package-name.js';

/** Fields of package.json that a lock file repeats. */
export interface LockedManifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly engines: Readonly<Record<string, string>>;
}

/**
 * Makes a package a member of the workspace as `npm install` would, without the network: its entries in package-lock.json and its
 * link in node_modules. What the workspace does not have (nothing is installed) is left out.
 * @returns what undoes it.
 */
export function wire(root: string, name: string, manifest: LockedManifest): () => void {
  const lock = join(root, 'package-lock.json');
  const scope = join(root, 'node_modules/@dynaprompt');
  const link = join(scope, name);
  const before = existsSync(lock) ? readFileSync(lock, 'utf8') : undefined;
  const undo = (): void => {
    if (before !== undefined) replaceFile(lock, before);
    if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() === true) rmSync(link);
  };
  try {
    if (before !== undefined) replaceFile(lock, withMember(before, name, manifest));
    if (existsSync(scope)) symlinkSync(`../../packages/${name}`, link);
    return undo;
  } catch (failure) {
    undo();
    throw failure;
  }
}

/** A lock file with a further member, the others in their order. */
export function withMember(text: string, name: string, manifest: LockedManifest): string {
  const lock = parseLock(text);
  const { version, license, dependencies, devDependencies, engines } = manifest;
  const link = { resolved: `packages/${name}`, link: true };
  const member = { name: manifest.name, version, license, dependencies, devDependencies, engines };
  const entries = Object.entries(lock.packages);
  insert(entries, 'node_modules/@dynaprompt/', name, link);
  insert(entries, 'packages/', name, member);
  return `${JSON.stringify({ ...lock, packages: Object.fromEntries(entries) }, undefined, 2)}\n`;
}

/** @throws ConfigurationError if a lock file is none. */
function parseLock(text: string): { readonly packages: Record<string, unknown> } {
  try {
    const lock = JSON.parse(text) as { packages?: Record<string, unknown> };
    if (lock.packages) return { ...lock, packages: lock.packages };
  } catch {
    // Said below.
  }
  throw new ConfigurationError({
    packageName: PACKAGE_NAME,
    subject: 'package-lock.json',
    problem: 'it is no lock file of npm 7 or newer',
    remedy: 'Restore it',
  });
}

/** Puts an entry among those of its folder, in the order of their names. */
function insert(entries: [string, unknown][], folder: string, name: string, value: unknown): void {
  const key = `${folder}${name}`;
  const last = entries.findLastIndex(([other]) => other.startsWith(folder) && other < key);
  const first = entries.findIndex(([other]) => other.startsWith(folder));
  const place = last >= 0 ? last + 1 : first >= 0 ? first : entries.length;
  entries.splice(place, 0, [key, value]);
}

function replaceFile(file: string, text: string): void {
  const incomplete = `${file}.${process.pid}.incomplete`;
  try {
    writeFileSync(incomplete, text);
    renameSync(incomplete, file);
  } finally {
    rmSync(incomplete, { force: true });
  }
}
