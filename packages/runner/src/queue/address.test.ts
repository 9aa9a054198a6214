import { describe, expect, it } from '@jest/globals';

import { ConfigurationError } from '@dynaprompt/core';

import { parseRedisAddress } from './address.js';

describe('parseRedisAddress', () => {
  it('reads host, port, database and who comes in', () => {
    expect(parseRedisAddress('rediss://us%40er:p%2Fw@far.example:7000/3')).toEqual({
      host: 'far.example',
      port: 7000,
      database: 3,
      username: 'us@er',
      password: 'p/w',
      tls: true,
      text: 'rediss://far.example:7000/3',
    });
    expect(parseRedisAddress('redis://[::1]')).toMatchObject({
      host: '::1',
      port: 6379,
      database: 0,
      tls: false,
    });
  });

  it.each([
    ['nowhere', /no URL/],
    ['http://far.example', /its protocol is http/],
    ['redis:///0', /names no host/],
    ['redis://far.example/jobs', /what follows the host is no number/],
    ['redis://far.example/0?family=6', /what follows the host is no number/],
    ['redis://user:secret@far.example/jobs', /redis:\/\/…@far\.example/],
    ['redis://user:the/secret@far.example', /no URL/],
    ['redis://user:1/secret@far.example', /what follows the host is no number/],
    ['redis://user:a@secret@far.example/jobs', /redis:\/\/…@far\.example/],
    ['redis://user:%zzsecret@far.example', /a % in its user or password/],
    [':secret@far.example', /--queue …@far\.example/],
  ])('refuses %s', (text, message) => {
    expect(() => parseRedisAddress(text)).toThrow(ConfigurationError);
    expect(() => parseRedisAddress(text)).toThrow(message);
    expect(() => parseRedisAddress(text)).not.toThrow(/secret/);
  });
});
