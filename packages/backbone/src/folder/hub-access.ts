import { HubApiError } from '@huggingface/hub';
import { ModelError } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';
import { reasonOf } from '../reason.js';

/** Which hub is asked, and with what token. */
export interface Access {
  readonly hubUrl?: string;
  readonly accessToken?: string;
}

/** A repository of the hub. */
export interface HubRepository {
  readonly type: 'model' | 'dataset';
  /** `owner/name` */
  readonly name: string;
}

/** What a failure's cause says where a repository has no such file. */
export const NO_SUCH_FILE = 'the repository has no such file';

/** `owner/name`, or `owner/name@revision`. */
const PLACE = /^([\w.-]+\/[\w.-]+)(?:@(.+))?$/;

/** The id and revision that a place on the hub names; undefined for what is none, such as a path. */
export function hubPlace(location: string): { readonly id: string; readonly revision?: string } | undefined {
  const isPath = location.startsWith('.') || location.startsWith('/') || location.startsWith('~');
  const [, id, revision] = (isPath ? null : PLACE.exec(location)) ?? [];
  if (id === undefined) return undefined;
  return { id, ...(revision === undefined ? {} : { revision }) };
}

/** The hub of the environment: HF_ENDPOINT, HF_TOKEN. */
export function hubAccess(): Access {
  return {
    ...setting('HF_ENDPOINT', (value) => ({ hubUrl: value.replace(/\/+$/, '') })),
    ...setting('HF_TOKEN', (value) => ({ accessToken: value })),
  };
}

/** Whether HF_HUB_OFFLINE forbids all requests; what counts as set is what huggingface_hub takes for it. */
export function isOffline(): boolean {
  return ['1', 'ON', 'YES', 'TRUE'].includes((process.env.HF_HUB_OFFLINE ?? '').toUpperCase());
}

/** An environment variable as an option; nothing if it is unset or empty. */
function setting(name: string, use: (value: string) => Access): Access {
  const value = process.env[name];
  return value === undefined || value === '' ? {} : use(value);
}

/** What is thrown where neither hub nor cache has something. */
export function refused(subject: string, cause: unknown): ModelError {
  return new ModelError({
    packageName: PACKAGE_NAME,
    subject,
    problem: `the hub did not give it (${reasonOf(cause)})`,
    remedy: remedyOf(cause),
    cause,
  });
}

/** What is thrown where HF_HUB_OFFLINE is set and the cache does not have something: it counts as absent. */
export function notCached(subject: string): ModelError {
  return new ModelError({
    packageName: PACKAGE_NAME,
    subject,
    problem: 'it is not in the cache, and HF_HUB_OFFLINE is set',
    remedy: 'Unset HF_HUB_OFFLINE to download it once, or give a local folder',
    // Files that only some repositories have are done without.
    cause: new Error(NO_SUCH_FILE),
  });
}

function remedyOf(cause: unknown): string {
  const status = cause instanceof HubApiError ? cause.statusCode : undefined;
  if (status === 401 || status === 403)
    return 'Check the id, set HF_TOKEN to a token that may read it, and accept its conditions on the hub';
  if (status === 429) return 'Wait some minutes, or set HF_TOKEN: known users may ask more often';
  return 'Check the id, the network, HF_ENDPOINT and HF_TOKEN, or give a local folder';
}
