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
  /** From now on the connection breaks after so many bytes of a file. */
  breakAfter(file: string, bytes: number): void;
  close(): Promise<void>;
}

/**
 * Serves `folder` as the repository `id` at the commit `commit` of the branch `main`, as huggingface.co does: model info by
 * revision, files by range, with ETags, and the ONNX file by a redirect to another path with a linked ETag.
 */
export async function startHub(folder: string, id: string, commit: string): Promise<HubServer> {
  const requests: string[] = [];
  const tokens = new Set<string>();
  const breaks = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://hub').pathname);
    requests.push(`${request.method ?? ''} ${path}`);
    if (request.headers.authorization) tokens.add(request.headers.authorization);
    for (const revision of ['main', commit]) {
      if (path === `/api/models/${id}/revision/${revision}`) {
        sendJson(response, 200, { _id: '1', id, sha: commit, lastModified: '2024-01-01T00:00:00.000Z' });
        return;
      }
      const tree = `/api/models/${id}/tree/${revision}/`;
      if (path.startsWith(tree)) {
        const inner = path.slice(tree.length);
        const files = existsSync(join(folder, inner)) ? readdirSync(join(folder, inner)) : [];
        const entries = files.map((file) => ({ type: 'file', path: `${inner}/${file}`, size: 1, oid: '0' }));
        sendJson(response, 200, entries);
        return;
      }
      const prefix = `/${id}/resolve/${revision}/`;
      if (!path.startsWith(prefix)) continue;
      const file = path.slice(prefix.length);
      if (!existsSync(join(folder, file))) {
        response.setHeader('X-Error-Code', 'EntryNotFound');
        sendJson(response, 404, { error: 'Entry not found' });
      } else if (file.endsWith('.onnx')) {
        const bytes = readFileSync(join(folder, file));
        const etag = createHash('sha256').update(bytes).digest('hex');
        response.writeHead(302, {
          Location: `/storage/${file}`,
          'X-Linked-ETag': `"${etag}"`,
          'X-Linked-Size': bytes.length,
          'X-Repo-Commit': commit,
        });
        response.end();
      } else sendFile(request, response, join(folder, file), commit, breaks);
      return;
    }
    if (path.startsWith('/storage/')) {
      sendFile(request, response, join(folder, path.slice('/storage/'.length)), commit, breaks);
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
    breakAfter(file, bytes) {
      breaks.set(file, bytes);
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

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body));
}

function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: string,
  commit: string,
  breaks: ReadonlyMap<string, number>,
): void {
  const bytes = readFileSync(file);
  const [, first = '0', last = ''] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  const end = last === '' ? bytes.length - 1 : Math.min(Number(last), bytes.length - 1);
  response.writeHead(206, {
    'Content-Length': end - Number(first) + 1,
    'Content-Range': `bytes ${first}-${end}/${bytes.length}`,
    ETag: `"${createHash('sha1').update(bytes).digest('hex')}"`,
    'X-Repo-Commit': commit,
  });
  const body = bytes.subarray(Number(first), end + 1);
  const limit = breaks.get(basename(file));
  if (limit === undefined || limit >= body.length) response.end(body);
  else response.write(body.subarray(0, limit), () => response.destroy());
}
