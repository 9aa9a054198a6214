import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { ConfigurationError } from '@dynaprompt/core';

import { type ServedSite, serveSite } from './serve-site.js';

let folder: string;
let site: ServedSite;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dynaprompt-serve-'));
  await mkdir(join(folder, 'site', 'library'), { recursive: true });
  await mkdir(join(folder, 'site-beside'));
  await writeFile(join(folder, 'secret.txt'), 'secret');
  await writeFile(join(folder, 'site-beside', 'secret.txt'), 'secret');
  await writeFile(join(folder, 'site', 'index.html'), '<p>page</p>');
  for (const name of ['a.mjs', 'a.js', 'a.wasm', 'a.css', 'a.json', 'model.onnx', 'odd name ü.txt'])
    await writeFile(join(folder, 'site', 'library', name), name);
  await symlink(join(folder, 'secret.txt'), join(folder, 'site', 'link.txt'));
  await symlink(join(folder, 'site', 'library', 'a.css'), join(folder, 'site', 'inside.css'));
  site = await serveSite(join(folder, 'site'), { port: 0 });
});

afterAll(async () => {
  await site.close();
  await rm(folder, { recursive: true, force: true });
});

interface Reply {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Asks for a path just as it is written: `fetch` would tidy it up. */
function ask(path: string, method = 'GET'): Promise<Reply> {
  const { hostname, port } = new URL(site.address);
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path, method }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => {
        resolve({ status: response.statusCode, headers: response.headers, body });
      });
    });
    asked.on('error', reject).end();
  });
}

describe('a served site', () => {
  it.each([
    ['/', 'text/html; charset=utf-8', '<p>page</p>'],
    ['/index.html?a=/../b', 'text/html; charset=utf-8', '<p>page</p>'],
    ['/library/a.mjs', 'text/javascript; charset=utf-8', 'a.mjs'],
    ['/library/a.js', 'text/javascript; charset=utf-8', 'a.js'],
    ['/library/a.wasm', 'application/wasm', 'a.wasm'],
    ['/library/a.css', 'text/css; charset=utf-8', 'a.css'],
    ['/library/a.json', 'application/json; charset=utf-8', 'a.json'],
    ['/library/model.onnx', 'application/octet-stream', 'model.onnx'],
    ['/library/odd%20name%20%C3%BC.txt', 'text/plain; charset=utf-8', 'odd name ü.txt'],
    ['/inside.css', 'text/css; charset=utf-8', 'a.css'],
    ['/library/../library/a.js', 'text/javascript; charset=utf-8', 'a.js'],
  ])('gives %s as %s', async (path, type, content) => {
    const { status, headers, body } = await ask(path);
    expect({ status, type: headers['content-type'], body }).toEqual({ status: 200, type, body: content });
    expect(headers['content-length']).toBe(String(Buffer.byteLength(content)));
  });

  it('lets pages use threads, and browsers ask again', async () => {
    for (const path of ['/', '/library/a.mjs', '/nothing']) {
      expect((await ask(path)).headers).toMatchObject({
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
        'cache-control': 'no-cache',
        'x-content-type-options': 'nosniff',
      });
    }
  });

  it.each([
    '/../secret.txt',
    '/library/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e%2fsecret.txt',
    '/..%5csecret.txt',
    '//secret.txt',
    '/../site-beside/secret.txt',
    '/link.txt',
    '/library',
    '/library/',
    '/nothing',
    '/index.html/',
  ])('finds nothing at %s', async (path) => {
    const { status, body } = await ask(path);
    expect({ status, body }).toEqual({ status: 404, body: 'Not found\n' });
  });

  it.each(['/%00', '/index.html%00.txt', '/%', '/%c3%28'])('does not understand %s', async (path) => {
    expect(await ask(path)).toMatchObject({ status: 400, body: 'Bad request\n' });
  });

  it('answers HEAD without a body, and no other method', async () => {
    const head = await ask('/library/a.wasm', 'HEAD');
    expect(head).toMatchObject({ status: 200, body: '', headers: { 'content-length': '6' } });
    expect(await ask('/nothing', 'HEAD')).toMatchObject({ status: 404, body: '' });
    const post = await ask('/', 'POST');
    expect(post).toMatchObject({ status: 405, body: '', headers: { allow: 'GET, HEAD' } });
  });

  it('is refused where there is none, or the port is taken', async () => {
    const nowhere = serveSite(join(folder, 'site', 'library'), { port: 0 });
    await expect(nowhere).rejects.toThrow(/index.html: there is no such file/);
    await expect(nowhere).rejects.toBeInstanceOf(ConfigurationError);
    const port = Number(new URL(site.address).port);
    const taken = serveSite(join(folder, 'site'), { port });
    await expect(taken).rejects.toThrow(/the port is taken. Name another with --port/);
    await expect(taken).rejects.toBeInstanceOf(ConfigurationError);
  });
});
