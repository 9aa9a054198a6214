import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Tarball } from '../packages/pack.js';

/** A registry that knows some packages, of one version each. */
export interface LocalRegistry {
  /** Where it listens, with a slash at the end. */
  readonly url: string;
  readonly close: () => Promise<void>;
}

/**
 * Serves packages over HTTP as a registry of npm does, as much of it as `npm install` asks for: a document for
 * each package, and its archive.
 */
export async function serveRegistry(tarballs: readonly Tarball[]): Promise<LocalRegistry> {
  const byName = new Map(tarballs.map((tarball) => [tarball.name, tarball]));
  let url = '';
  const server = createServer((request, response) => {
    const [name = '', archive] = decodeURIComponent(request.url ?? '')
      .slice(1)
      .split('/-/');
    const tarball = byName.get(name);
    if (!tarball) {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"Not found"}');
    } else if (archive === undefined) {
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify(packument(tarball, url)));
    } else {
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      createReadStream(tarball.file).pipe(response);
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function packument({ name, version, manifest, integrity }: Tarball, url: string): unknown {
  const tarball = `${url}${name}/-/${version}.tgz`;
  return {
    name,
    'dist-tags': { latest: version },
    versions: { [version]: { ...manifest, dist: { tarball, integrity } } },
  };
}
