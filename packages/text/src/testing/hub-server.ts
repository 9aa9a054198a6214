import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';

/** A hub on this machine that serves one folder as one repository. */
export interface HubServer {
  readonly url: string;
  /** What was asked for, as `METHOD path`, oldest first. */
  readonly requests: string[];
  /** Tokens that came with requests. */
  readonly tokens: Set<string>;
  /** From now on the connection breaks after so many bytes of a file, or ends there as if that were all. */
  breakAfter(file: string, bytes: number, way?: 'loudly' | 'silently'): void;
  /** From now on a file has other bytes than those that the hub tells the size and hash of. */
  replace(file: string, bytes: Uint8Array): void;
  /** From now on every request is answered like this. */
  refuse(status: number, error: string): void;
  close(): Promise<void>;
}

/** Where an answer ends before its time, and how. */
interface Break {
  readonly bytes: number;
  readonly way: 'loudly' | 'silently';
}

/**
 * Serves `folder` as the repository `id` at the commit `commit` of the branch `main`, as huggingface.co does: info by revision,
 * files by range, with ETags, and the ONNX file by a redirect to another path with a linked ETag.
 */
export async function startHub(
  folder: string,
  id: string,
  commit: string,
  type: 'model' | 'dataset' = 'model',
): Promise<HubServer> {
  const requests: string[] = [];
  const tokens = new Set<string>();
  const breaks = new Map<string, Break>();
  const replaced = new Map<string, Uint8Array>();
  let refusal: { readonly status: number; readonly error: string } | undefined;
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://hub').pathname);
    requests.push(`${request.method ?? ''} ${path}`);
    if (request.headers.authorization) tokens.add(request.headers.authorization);
    if (refusal) {
      sendJson(response, refusal.status, { error: refusal.error });
      return;
    }
    for (const revision of ['main', commit]) {
      if (path === `/api/${type}s/${id}/revision/${revision}`) {
        sendJson(response, 200, { _id: '1', id, sha: commit, lastModified: '2024-01-01T00:00:00.000Z' });
        return;
      }
      const tree = `/api/${type}s/${id}/tree/${revision}`;
      if (path === tree || path.startsWith(`${tree}/`)) {
        sendJson(response, 200, entriesBelow(folder, path.slice(tree.length + 1)));
        return;
      }
      const prefix = `${type === 'dataset' ? '/datasets' : ''}/${id}/resolve/${revision}/`;
      if (!path.startsWith(prefix)) continue;
      const file = path.slice(prefix.length);
      if (!existsSync(join(folder, file))) {
        response.setHeader('X-Error-Code', 'EntryNotFound');
        sendJson(response, 404, { error: 'Entry not found' });
      } else if (/\.(?:onnx|parquet)$/.test(file)) {
        const bytes = readFileSync(join(folder, file));
        const etag = createHash('sha256').update(bytes).digest('hex');
        response.writeHead(302, {
          Location: `/storage/${file}`,
          'X-Linked-ETag': `"${etag}"`,
          'X-Linked-Size': bytes.length,
          'X-Repo-Commit': commit,
        });
        response.end();
      } else {
        const bytes = replaced.get(basename(file)) ?? readFileSync(join(folder, file));
        sendFile(request, response, { file, bytes }, commit, breaks);
      }
      return;
    }
    if (path.startsWith('/storage/')) {
      const file = path.slice('/storage/'.length);
      const bytes = replaced.get(basename(file)) ?? readFileSync(join(folder, file));
      sendFile(request, response, { file, bytes }, commit, breaks);
      return;
    }
    response.setHeader('X-Error-Code', 'RepoNotFound');
    sendJson(response, 404, { error: 'Repository not found' });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    tokens,
    breakAfter(file, bytes, way = 'loudly') {
      breaks.set(file, { bytes, way });
    },
    replace(file, bytes) {
      replaced.set(file, bytes);
    },
    refuse(status, error) {
      refusal = { status, error };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

/** What a recursive listing of a folder says. */
function entriesBelow(folder: string, inner: string): readonly object[] {
  if (!existsSync(join(folder, inner))) return [];
  return readdirSync(join(folder, inner), { withFileTypes: true }).flatMap((entry) => {
    const path = inner === '' ? entry.name : `${inner}/${entry.name}`;
    return entry.isDirectory()
      ? [{ type: 'directory', path, size: 0, oid: '0' }, ...entriesBelow(folder, path)]
      : [{ type: 'file', path, size: 1, oid: '0' }];
  });
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body));
}

function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  { file, bytes }: { readonly file: string; readonly bytes: Uint8Array },
  commit: string,
  breaks: ReadonlyMap<string, Break>,
): void {
  const [, first = '0', last = ''] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  const end = last === '' ? bytes.length - 1 : Math.min(Number(last), bytes.length - 1);
  const limit = breaks.get(basename(file));
  response.writeHead(206, {
    ...(limit?.way === 'silently' ? {} : { 'Content-Length': end - Number(first) + 1 }),
    'Content-Range': `bytes ${first}-${end}/${bytes.length}`,
    ETag: `"${createHash('sha1').update(bytes).digest('hex')}"`,
    'X-Repo-Commit': commit,
  });
  const body = bytes.subarray(Number(first), end + 1);
  if (limit === undefined || limit.bytes >= body.length) response.end(body);
  else if (limit.way === 'silently') response.end(body.subarray(0, limit.bytes));
  else response.write(body.subarray(0, limit.bytes), () => response.destroy());
}
