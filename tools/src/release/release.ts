import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { contentProblems, packPackage } from '../packages/pack.js';
import { readMembers } from '../packages/workspace.js';
import {
  commonVersion,
  nextVersion,
  publishedInOrder,
  refusal,
  releaseNotes,
  versionChanges,
} from './versions.js';

/** How a release is made. */
export interface ReleaseOptions {
  /** `major`, `minor`, `patch`, or a version. */
  readonly step: string;
  /** Say what would be published; nothing is changed or sent. */
  readonly dryRun: boolean;
  /** ISO date in the changelog. */
  readonly date: string;
}

/**
 * Gives all packages the next version and publishes them, each after those that it depends on. Where publishing breaks off, the
 * versions are written already: `npm publish` in the folders that are left completes it.
 *
 * @throws ConfigurationError before anything is changed: changes that are not committed, versions that differ, an
 * empty changelog, files in a package that do not belong there.
 */
export async function release(
  root: string,
  { step, dryRun, date }: ReleaseOptions,
  say: (line: string) => void,
): Promise<void> {
  const members = readMembers(root);
  const current = commonVersion(root, members);
  const version = nextVersion(current, step);
  const { notes, text } = releaseNotes(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), version, date);
  if (!dryRun) refuseChanges(root);
  const published = publishedInOrder(members);
  const archives = await mkdtemp(join(tmpdir(), 'dynaprompt-release-'));
  try {
    const packed = published.map(({ folder }) => ({ folder, tarball: packPackage(root, folder, archives) }));
    const problems = packed
      .filter(({ folder }) => folder.startsWith('packages/'))
      .flatMap(({ folder, tarball }) => contentProblems(root, folder, tarball));
    if (problems.length > 0) throw refusal('a package', problems.join('; '));
    say(`${current} → ${version}, ${packed.length} packages, in this order:`);
    for (const { tarball } of packed) {
      say(
        `  ${tarball.name}@${version}  ${tarball.files.length} files, ${(tarball.size / 1e3).toFixed(1)} kB`,
      );
    }
    say(`\nCHANGELOG.md:\n${notes}`);
  } finally {
    await rm(archives, { recursive: true, force: true });
  }
  if (dryRun) {
    say('\nNothing was changed or published.');
    return;
  }
  for (const { file, text: content } of [
    ...versionChanges(root, members, version),
    { file: 'CHANGELOG.md', text },
  ]) {
    writeFileSync(join(root, `${file}.new`), content);
    renameSync(join(root, `${file}.new`), join(root, file));
  }
  for (const { folder, name } of published) {
    await promisify(execFile)('npm', ['publish', '--access', 'public', '--ignore-scripts'], {
      cwd: join(root, folder),
    });
    say(`published ${name}@${version}`);
  }
  say(`\nPublished. Commit the new versions, and tag the commit v${version}.`);
}

function refuseChanges(root: string): void {
  const changes = execFileSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' });
  if (changes !== '') throw refusal('the working tree', 'it has changes that are not committed');
}
