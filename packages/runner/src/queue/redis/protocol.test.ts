import { describe, expect, it } from '@jest/globals';

import { encodeCommand, ReplyError, ReplyReader, textOf } from './protocol.js';

describe('encodeCommand', () => {
  it('counts bytes, not letters', () => {
    // The example of the specification, and a letter of two bytes.
    expect(encodeCommand(['LLEN', 'mylist']).toString()).toBe('*2\r\n$4\r\nLLEN\r\n$6\r\nmylist\r\n');
    expect(encodeCommand(['SET', 'ä', 7, new Uint8Array([13, 10])]).toString('latin1')).toBe(
      '*4\r\n$3\r\nSET\r\n$2\r\n\xc3\xa4\r\n$1\r\n7\r\n$2\r\n\r\n\r\n',
    );
  });
});

describe('ReplyReader', () => {
  const sent = Buffer.from(
    '+OK\r\n:-42\r\n$5\r\nhe\r\nl\r\n$-1\r\n*-1\r\n$0\r\n\r\n-ERR no\r\n*3\r\n:1\r\n*1\r\n$2\r\nä\r\n-WRONG\r\n',
  );
  const expected = [
    'OK',
    -42,
    'he\r\nl',
    null,
    null,
    '',
    new ReplyError('ERR no'),
    [1, ['ä'], new ReplyError('WRONG')],
  ];

  it.each(Array.from({ length: 12 }, (_, size) => size + 1))('reads pieces of %d bytes', (size) => {
    const reader = new ReplyReader();
    const replies: unknown[] = [];
    for (let start = 0; start < sent.length; start += size) {
      replies.push(...reader.push(sent.subarray(start, start + size)).map(textOf));
    }
    expect(replies).toEqual(expected);
  });

  it('keeps bytes as they are', () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    const reply = Buffer.concat([Buffer.from('$256\r\n'), bytes, Buffer.from('\r\n')]);
    const [read] = new ReplyReader().push(reply);
    expect(Buffer.from(read as Uint8Array).equals(bytes)).toBe(true);
  });

  it('says that it is no such server', () => {
    expect(() => new ReplyReader().push(Buffer.from('HTTP/1.1 400 Bad Request\r\n'))).toThrow(
      /no Redis server/,
    );
  });
});
