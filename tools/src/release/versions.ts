import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ConfigurationError } from '@dynaprompt/core';

import { readJson, type Member } from '../packages/workspace.js';

/** A file with its text after the release. */
export interface Change {
  /** Relative to the root. */
  readonly file: string;
  readonly text: string;
}

interface Manifest {
  version?: string;
  [field: string]: unknown;
}

const DEPENDENCY_FIELDS = ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies'];

/** The version that all members have. @throws ConfigurationError where one has another. */
export function commonVersion(root: string, members: readonly Member[]): string {
  const versions = members.map(
    ({ folder }) => (readJson(join(root, folder, 'package.json')) as Manifest).version,
  );
  const [first = ''] = versions;
  const odd = members[versions.findIndex((version) => version !== first)];
  if (odd) throw refusal(`${odd.folder}/package.json`, `its version is not ${first}, that of the others`);
  return first;
}

/**
 * The version after `current`.
 * @param step `major`, `minor`, `patch`, or a version.
 * @throws ConfigurationError if it is none of these, or not after the current one.
 */
export function nextVersion(current: string, step: string): string {
  const [major = 0, minor = 0, patch = 0] = current.split('.').map(Number);
  if (step === 'major') return `${major + 1}.0.0`;
  if (step === 'minor') return `${major}.${minor + 1}.0`;
  if (step === 'patch') return `${major}.${minor}.${patch + 1}`;
  if (!/^\d+\.\d+\.\d+$/.test(step)) throw refusal(step, 'it is no version');
  const [a = 0, b = 0, c = 0] = step.split('.').map(Number);
  const isLater = a !== major ? a > major : b !== minor ? b > minor : c > patch;
  if (!isLater) throw refusal(step, `it is not after ${current}`);
  return step;
}

/** Manifests and lock file with another version, that of dependencies among the members included. */
export function versionChanges(root: string, members: readonly Member[], version: string): Change[] {
  const names = new Set(members.map(({ name }) => name));
  const update = (manifest: Manifest): void => {
    manifest.version = version;
    for (const field of DEPENDENCY_FIELDS) {
      const dependencies = manifest[field] as Record<string, string> | undefined;
      for (const name of Object.keys(dependencies ?? {}))
        if (dependencies && names.has(name)) dependencies[name] = version;
    }
  };
  const changed = (file: string, change: (json: Manifest) => void): Change => {
    const json = JSON.parse(readFileSync(join(root, file), 'utf8')) as Manifest;
    change(json);
    return { file, text: `${JSON.stringify(json, null, 2)}\n` };
  };
  const folders = ['', ...members.map(({ folder }) => folder)];
  return [
    ...folders.map((folder) => changed(join(folder, 'package.json'), update)),
    changed('package-lock.json', (lock) => {
      lock.version = version;
      const packages = lock.packages as Record<string, Manifest>;
      for (const folder of folders) {
        const entry = packages[folder];
        if (entry) update(entry);
      }
    }),
  ];
}

/**
 * What the changelog says of the coming version, and the changelog with that under its number and date.
 * @throws ConfigurationError if there is no section `Unreleased`, or nothing in it.
 */
export function releaseNotes(
  changelog: string,
  version: string,
  date: string,
): { notes: string; text: string } {
  const heading = '## Unreleased';
  const start = changelog.indexOf(`${heading}\n`);
  if (start < 0) throw refusal('CHANGELOG.md', `there is no section '${heading}'`);
  const body = changelog.slice(start + heading.length);
  const end = body.search(/\n## /);
  const notes = (end < 0 ? body : body.slice(0, end)).trim();
  if (notes === '') throw refusal('CHANGELOG.md', `nothing stands under '${heading}'`);
  return { notes, text: changelog.replace(`${heading}\n`, `${heading}\n\n## ${version} (${date})\n`) };
}

/** Members that are published, each after those that it depends on. */
export function publishedInOrder(members: readonly Member[]): Member[] {
  const byName = new Map(members.map((member) => [member.name, member]));
  const order = new Set<Member>();
  const visit = (member: Member): void => {
    if (order.has(member)) return;
    for (const name of member.runtimeDependencies) {
      const dependency = byName.get(name);
      if (dependency) visit(dependency);
    }
    order.add(member);
  };
  for (const member of members) if (!member.isPrivate) visit(member);
  return [...order].filter(({ isPrivate }) => !isPrivate);
}

/** The error of something that stands in the way of a release. */
export function refusal(subject: string, problem: string): ConfigurationError {
  return new ConfigurationError({
    packageName: '@dynaprompt/tools',
    subject,
    problem,
    remedy: 'Mend it and start the release again; nothing was changed',
  });
}
