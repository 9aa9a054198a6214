import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { downloadFile, getHFHubCachePath, HubApiError, listFiles, modelInfo } from '@huggingface/hub';
import { ModelError } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';
import { reasonOf } from '../reason.js';

/** Where on the hub to look. Environment: HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_ENDPOINT. */
export interface HubOptions {
  /** Branch, tag or commit; default `main`. */
  readonly revision?: string;
}

/** One commit of a hub repository in the local cache. */
export interface HubSnapshot {
  /** Folder of the files that are here already. */
  readonly folder: string;
  /**
   * Local path of a file, downloaded if it is not here yet.
   * @throws ModelError naming the file and what the hub answered.
   */
  file(path: string): Promise<string>;
  /** Paths of the files in a folder of the repository; empty where the hub does not tell. */
  list(path: string): Promise<readonly string[]>;
}

const COMMIT = /^[0-9a-f]{40}$/;
const NO_SUCH_FILE = 'the repository has no such file';

/** Whether a failure of {@link HubSnapshot.file} says that the repository does not have the file. */
export function isAbsent(failure: unknown): boolean {
  const { cause } = Object(failure) as { cause?: unknown };
  return cause instanceof Error && cause.message === NO_SUCH_FILE;
}

/**
 * Opens a model repository of the hub at one commit, in the folder layout that all Hugging Face libraries share:
 * `models--owner--name/{refs,snapshots}`. A branch or tag is looked up each time, and taken from the cache where the hub cannot
 * be reached; a commit that is in the cache needs no network.
 * @throws ModelError if the repository or revision does not exist, or neither hub nor cache can be read.
 */
export async function openHubSnapshot(id: string, options: HubOptions = {}): Promise<HubSnapshot> {
  const access = {
    ...setting('HF_ENDPOINT', (value) => ({ hubUrl: value.replace(/\/+$/, '') })),
    ...setting('HF_TOKEN', (value) => ({ accessToken: value })),
  };
  const storage = join(getHFHubCachePath(), `models--${id.replace('/', '--')}`);
  const revision = options.revision ?? 'main';
  const commit = COMMIT.test(revision) ? revision : await findCommit(id, revision, storage, access);
  const folder = join(storage, 'snapshots', commit);
  return {
    folder,
    async file(path) {
      const target = join(folder, path);
      if (existsSync(target)) return target;
      try {
        const blob = await downloadFile({
          ...access,
          repo: { type: 'model', name: id },
          path,
          revision: commit,
        });
        if (!blob) throw new Error(NO_SUCH_FILE);
        await store(blob, target);
      } catch (cause) {
        throw refused(`${id}/${path}`, cause);
      }
      return target;
    },
    async list(path) {
      const paths: string[] = [];
      try {
        const repo = { type: 'model', name: id } as const;
        for await (const entry of listFiles({ ...access, repo, path, revision: commit }))
          paths.push(entry.path);
      } catch {
        return [];
      }
      return paths;
    },
  };
}

interface Access {
  readonly hubUrl?: string;
  readonly accessToken?: string;
}

/** Asks the hub which commit a branch or tag is, and remembers it for times without network. */
async function findCommit(id: string, revision: string, storage: string, access: Access): Promise<string> {
  const subject = `${id}, revision ${revision}`;
  if (revision === '' || revision.split(/[/\\]/).includes('..')) {
    throw refused(subject, new Error('this is no name of a branch, tag or commit'));
  }
  const reference = join(storage, 'refs', revision);
  try {
    const { sha } = await modelInfo({ ...access, name: id, revision, additionalFields: ['sha'] });
    if (!COMMIT.test(sha)) throw new Error(`it answered "${sha}" for the commit`);
    await mkdir(dirname(reference), { recursive: true });
    await writeFile(reference, sha);
    return sha;
  } catch (cause) {
    const known = cause instanceof HubApiError ? '' : await readFile(reference, 'utf8').catch(() => '');
    if (COMMIT.test(known.trim())) return known.trim();
    throw refused(subject, cause);
  }
}

/** Writes a download beside its place and renames it, so that no half file is ever taken for a whole one. */
async function store(blob: Blob, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const incomplete = `${target}.${process.pid}.incomplete`;
  try {
    await pipeline(Readable.fromWeb(blob.stream()), createWriteStream(incomplete));
    await rename(incomplete, target);
  } finally {
    await rm(incomplete, { force: true });
  }
}

/** An environment variable as an option; nothing if it is unset or empty. */
function setting(name: string, use: (value: string) => Access): Access {
  const value = process.env[name];
  return value === undefined || value === '' ? {} : use(value);
}

function refused(subject: string, cause: unknown): ModelError {
  return new ModelError({
    packageName: PACKAGE_NAME,
    subject,
    problem: `the hub did not give it (${reasonOf(cause)})`,
    remedy: 'Check the id, the network, HF_ENDPOINT and HF_TOKEN, or give a local folder',
    cause,
  });
}
