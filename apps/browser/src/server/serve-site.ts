import { createReadStream } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { ConfigurationError } from '@dynaprompt/core';

import { packageName } from '../package-name.js';
import { contentTypeOf } from './content-types.js';
import { siteFile } from './site-file.js';

/** Where a site is served. */
export interface ServeOptions {
  /** 0: any that is free. */
  readonly port: number;
  /** Address to listen at; default: this machine alone. */
  readonly host?: string;
}

/** A site that is being served. */
export interface ServedSite {
  readonly address: string;
  close(): Promise<void>;
}

const HEADERS = {
  // A site is built anew under the same names.
  'Cache-Control': 'no-cache',
  'X-Content-Type-Options': 'nosniff',
  // Together they let the page use threads.
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/**
 * Serves the files of a folder.
 * @throws ConfigurationError when there is no site, or the port cannot be had.
 */
export async function serveSite(
  folder: string,
  { port, host = '127.0.0.1' }: ServeOptions,
): Promise<ServedSite> {
  const root = await realpath(folder).catch(() => folder);
  const index = await siteFile(root, '/');
  if (index.status !== 200)
    throw unusable(join(folder, 'index.html'), 'there is no such file', 'Name a folder that build wrote');
  const server = createServer((request, response) => {
    void answer(root, request, response);
  });
  await listen(server, port, host);
  const { port: taken } = server.address() as AddressInfo;
  return {
    address: `http://${host.includes(':') ? `[${host}]` : host}:${taken}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function answer(root: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url = '/' } = request;
  if (method !== 'GET' && method !== 'HEAD') {
    response.writeHead(405, { ...HEADERS, Allow: 'GET, HEAD' }).end();
    return;
  }
  const found = await siteFile(root, url);
  if (found.status !== 200) {
    const text = found.status === 400 ? 'Bad request\n' : 'Not found\n';
    response.writeHead(found.status, { ...HEADERS, 'Content-Type': contentTypeOf('.txt') });
    response.end(method === 'HEAD' ? undefined : text);
    return;
  }
  response.writeHead(200, {
    ...HEADERS,
    'Content-Type': contentTypeOf(found.path),
    'Content-Length': found.size,
  });
  if (method === 'HEAD') response.end();
  // A reader that goes away in the middle is no failure.
  else await pipeline(createReadStream(found.path), response).catch(() => undefined);
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const problem =
        cause.code === 'EADDRINUSE' ? 'the port is taken' : `it cannot be had (${cause.message})`;
      reject(unusable(`${host}:${port}`, problem, 'Name another with --port; 0 is any that is free', cause));
    });
    server.listen(port, host, resolve);
  });
}

function unusable(subject: string, problem: string, remedy: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError({
    packageName,
    subject,
    problem,
    remedy,
    ...(cause === undefined ? {} : { cause }),
  });
}
