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
  const { protocol, hostname, port, pathname, search, hash } = url;
  if (protocol !== 'redis:' && protocol !== 'rediss:') {
    throw unusable(text, `its protocol is ${protocol.replace(':', '')}, not redis`);
  }
  if (hostname === '') throw unusable(text, 'it names no host');
  const database = /^\/?(\d*)$/.exec(`${pathname}${search}${hash}`)?.[1];
  // What stands there may be the end of a password.
  if (database === undefined) throw unusable(text, 'what follows the host is no number of a database');
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? 6379 : Number(port),
    database: Number(database),
    username: decoded(url.username, text),
    password: decoded(url.password, text),
    tls: protocol === 'rediss:',
    text: `${protocol}//${hostname}:${port === '' ? 6379 : port}/${Number(database)}`,
  };
}

/** @throws ConfigurationError where a percent sign starts no character. */
function decoded(part: string, text: string): string | undefined {
  try {
    return part === '' ? undefined : decodeURIComponent(part);
  } catch {
    throw unusable(text, 'there is a % in its user or password that starts no character');
  }
}

function unusable(text: string, problem: string): ConfigurationError {
  return new ConfigurationError({
    packageName,
    // Whatever stands before the host may be a password.
    subject: `--queue ${text.replace(/^(\w*:\/\/)?.*@/s, '$1…@')}`,
    problem,
    remedy:
      'Give redis://user:password@host:port/database, such as redis://localhost:6379/0; in a password write / as %2F, % as %25',
  });
}
