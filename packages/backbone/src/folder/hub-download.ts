import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { downloadFile, fileDownloadInfo } from '@huggingface/hub';
import type { Access, HubRepository } from './hub-access.js';

const HUB = 'https://huggingface.co';
const SHA256 = /^(?:W\/)?"?([0-9a-f]{64})"?$/;
const REDIRECTS = 5;

/** A file of a repository at one commit. */
export interface HubFile {
  readonly repository: HubRepository;
  readonly commit: string;
  readonly path: string;
}

/**
 * Downloads a file to `target`: beside its place first, so that no half file is ever taken for a whole one. It has to have the size
 * that the hub states, and the SHA-256 where it lies in git-lfs.
 * @returns false if the repository has no such file.
 * @throws Error saying what the hub answered, or in what the bytes differ.
 */
export async function downloadTo(target: string, file: HubFile, access: Access): Promise<boolean> {
  const { repository: repo, commit: revision, path } = file;
  const downloadInfo = await fileDownloadInfo({ ...access, repo, path, revision });
  if (!downloadInfo) return false;
  const { size } = downloadInfo;
  const sha256 = SHA256.exec(downloadInfo.etag)?.[1] ?? (await linkedHash(file, access));
  const blob = await downloadFile({ ...access, repo, path, revision, downloadInfo });
  if (!blob) return false;
  await mkdir(dirname(target), { recursive: true });
  const incomplete = `${target}.${process.pid}.incomplete`;
  const hash = createHash('sha256');
  let received = 0;
  try {
    await pipeline(
      Readable.fromWeb(blob.stream()),
      async function* (chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) {
          received += chunk.length;
          hash.update(chunk);
          yield chunk;
        }
      },
      createWriteStream(incomplete),
    );
    if (received !== size) throw new Error(`${received} bytes came, where the hub states ${size}`);
    const found = hash.digest('hex');
    if (sha256 !== undefined && found !== sha256)
      throw new Error(`its SHA-256 is ${found}, where the hub states ${sha256}`);
    await rename(incomplete, target);
  } finally {
    await rm(incomplete, { force: true });
  }
  return true;
}

/**
 * SHA-256 of a file in git-lfs, which the hub states in the answer that leads to the place where the bytes are; undefined for other
 * files.
 */
async function linkedHash(
  { repository: { type, name }, commit, path }: HubFile,
  { hubUrl = HUB, accessToken }: Access,
): Promise<string | undefined> {
  const hub = new URL(hubUrl);
  let url = new URL(`${hubUrl}/${type === 'dataset' ? 'datasets/' : ''}${name}/resolve/${commit}/${path}`);
  for (let count = 0; count < REDIRECTS && url.origin === hub.origin; count++) {
    const response = await fetch(url, {
      method: 'HEAD',
      redirect: 'manual',
      ...(accessToken === undefined ? {} : { headers: { Authorization: `Bearer ${accessToken}` } }),
    });
    const linked = response.headers.get('X-Linked-ETag');
    if (linked !== null) return SHA256.exec(linked)?.[1];
    const next = response.headers.get('Location');
    if (next === null) return undefined;
    // A repository under another name, or a file beside it.
    url = new URL(next, url);
  }
  return undefined;
}
