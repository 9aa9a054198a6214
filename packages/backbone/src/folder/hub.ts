import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { datasetInfo, getHFHubCachePath, HubApiError, listFiles, modelInfo } from '@huggingface/hub';
import {
  type Access,
  hubAccess,
  type HubRepository,
  isOffline,
  NO_SUCH_FILE,
  notCached,
  refused,
} from './hub-access.js';
import { downloadTo } from './hub-download.js';

/** Where on the hub to look. Environment: HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_ENDPOINT, HF_HUB_OFFLINE. */
export interface HubOptions {
  /** Branch, tag or commit; default: the one that the place names, or `main`. */
  readonly revision?: string;
}

/** One commit of a hub repository in the local cache. */
export interface HubSnapshot {
  /** Folder of the files that are here already. */
  readonly folder: string;
  /** The commit, 40 hex digits. */
  readonly commit: string;
  /**
   * Local path of a file, downloaded if it is not here yet.
   * @throws ModelError naming the file and what the hub answered.
   */
  file(path: string): Promise<string>;
  /** Paths of the files in a folder of the repository, and of all below it; empty where the hub does not tell. */
  list(path: string): Promise<readonly string[]>;
}

const COMMIT = /^[0-9a-f]{40}$/;
/** Answers of the hub that say that something is not there, or not for this user; after others the cache may serve. */
const FINAL: ReadonlySet<number> = new Set([400, 401, 403, 404]);

/** Whether a failure of {@link HubSnapshot.file} says that the repository does not have the file, or is not asked. */
export function isAbsent(failure: unknown): boolean {
  const { cause } = Object(failure) as { cause?: unknown };
  return cause instanceof Error && cause.message === NO_SUCH_FILE;
}

/**
 * Opens a repository of the hub at one commit, in the folder layout that all Hugging Face libraries share:
 * `models--owner--name/{refs,snapshots}`, `datasets--owner--name/…`. A branch or tag is looked up each time, and taken from the cache
 * where the hub cannot be reached or HF_HUB_OFFLINE is set; a commit that is in the cache needs no network.
 * @throws ModelError if the repository or revision does not exist, or neither hub nor cache can be read.
 */
export async function openHubSnapshot(
  name: string,
  { revision = 'main', type = 'model' }: HubOptions & Partial<Pick<HubRepository, 'type'>> = {},
): Promise<HubSnapshot> {
  const access = hubAccess();
  const repository = { type, name };
  const storage = join(getHFHubCachePath(), `${type}s--${name.replace('/', '--')}`);
  const commit = COMMIT.test(revision) ? revision : await findCommit(repository, revision, storage, access);
  const folder = join(storage, 'snapshots', commit);
  return {
    folder,
    commit,
    async file(path) {
      const target = join(folder, path);
      if (existsSync(target)) return target;
      const subject = `${name}/${path}`;
      if (isOffline()) throw notCached(subject);
      try {
        if (!(await downloadTo(target, { repository, commit, path }, access))) throw new Error(NO_SUCH_FILE);
      } catch (cause) {
        throw refused(subject, cause);
      }
      return target;
    },
    async list(path) {
      if (isOffline()) return filesBelow(folder, path);
      const paths: string[] = [];
      try {
        const wanted = { repo: repository, path, revision: commit, recursive: true };
        for await (const entry of listFiles({ ...access, ...wanted }))
          if (entry.type === 'file') paths.push(entry.path);
      } catch {
        return filesBelow(folder, path);
      }
      return paths;
    },
  };
}

/** Files that are in the cache. */
function filesBelow(folder: string, path: string): readonly string[] {
  if (!existsSync(join(folder, path))) return [];
  return readdirSync(join(folder, path), { withFileTypes: true }).flatMap((entry) => {
    const inner = path === '' ? entry.name : `${path}/${entry.name}`;
    return entry.isDirectory()
      ? filesBelow(folder, inner)
      : entry.name.endsWith('.incomplete')
        ? []
        : [inner];
  });
}

/** Asks the hub which commit a branch or tag is, and remembers it for times without network. */
async function findCommit(
  { type, name }: HubRepository,
  revision: string,
  storage: string,
  access: Access,
): Promise<string> {
  const subject = `${name}, revision ${revision}`;
  if (revision === '' || revision.split(/[/\\]/).includes('..')) {
    throw refused(subject, new Error('this is no name of a branch, tag or commit'));
  }
  const reference = join(storage, 'refs', revision);
  const remembered = async (): Promise<string | undefined> => {
    const known = (await readFile(reference, 'utf8').catch(() => '')).trim();
    return COMMIT.test(known) ? known : undefined;
  };
  if (isOffline()) {
    const known = await remembered();
    if (known === undefined) throw notCached(subject);
    return known;
  }
  try {
    const { sha } = await (type === 'model'
      ? modelInfo({ ...access, name, revision, additionalFields: ['sha'] })
      : datasetInfo({ ...access, name, revision, additionalFields: ['sha'] }));
    if (!COMMIT.test(sha)) throw new Error(`it answered "${sha}" for the commit`);
    await mkdir(dirname(reference), { recursive: true });
    await writeFile(reference, sha);
    return sha;
  } catch (cause) {
    const isFinal = cause instanceof HubApiError && FINAL.has(cause.statusCode);
    const known = isFinal ? undefined : await remembered();
    if (known !== undefined) return known;
    throw refused(subject, cause);
  }
}
