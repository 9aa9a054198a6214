import { ConfigurationError } from '@dynaprompt/core';

import { packageName } from '../package-name.js';

/** Where a Redis server is, and how one comes in. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly database: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: boolean;
  /** For messages: without the password. */
  readonly text: string;
}

/** Reads `redis://[user:password@]host[:port][/database]`; `rediss` encrypts. @throws ConfigurationError */
export function parseRedisAddress(text: string): RedisAddress {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw unusable(text, 'it is no URL');
  }
  const { protocol, hostname, port, pathname, username, password } = url;
  if (protocol !== 'redis:' && protocol !== 'rediss:') {
    throw unusable(text, `its protocol is ${protocol.replace(':', '')}, not redis`);
  }
  if (hostname === '') throw unusable(text, 'it names no host');
  const [, database = ''] = /^\/(\d*)$/.exec(pathname === '' ? '/' : pathname) ?? [];
  if (!/^\/?\d*$/.test(pathname)) throw unusable(text, `${pathname.slice(1)} is no number of a database`);
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? 6379 : Number(port),
    database: Number(database),
    username: username === '' ? undefined : decodeURIComponent(username),
    password: password === '' ? undefined : decodeURIComponent(password),
    tls: protocol === 'rediss:',
    text: `${protocol}//${hostname}:${port === '' ? 6379 : port}/${Number(database)}`,
  };
}

function unusable(text: string, problem: string): ConfigurationError {
  return new ConfigurationError({
    packageName,
    // A URL may hold a password.
    subject: `--queue ${text.replace(/\/\/[^@/]*@/, '//…@')}`,
    problem,
    remedy: 'Give redis://host:port/database, such as redis://localhost:6379/0',
  });
}
