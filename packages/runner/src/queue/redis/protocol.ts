/** What a command may be given. */
export type Argument = string | number | Uint8Array;

/** What a server answers: RESP2, with bulk strings as text or, where asked for, as bytes. */
export type Reply = string | number | null | Uint8Array | ReplyError | readonly Reply[];

/** A command that the server refused. */
export class ReplyError extends Error {}

/** A command as RESP: an array of bulk strings (redis.io/docs/reference/protocol-spec). */
export function encodeCommand(words: readonly Argument[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from(`*${words.length}\r\n`)];
  for (const word of words) {
    const bytes = typeof word === 'object' ? word : Buffer.from(String(word));
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

/** Cuts what a server sends into replies. Bulk strings stay bytes; see {@link textOf}. */
export class ReplyReader {
  private bytes: Buffer = Buffer.alloc(0);
  /** Bytes that have to be there before it is worth trying again: a large value comes in many pieces. */
  private wanted = 0;
  private pieces: Buffer[] = [];
  private length = 0;

  push(piece: Buffer): readonly Reply[] {
    this.pieces.push(piece);
    this.length += piece.length;
    if (this.length < this.wanted) return [];
    this.bytes = Buffer.concat(this.pieces, this.length);
    const replies: Reply[] = [];
    let start = 0;
    this.wanted = 0;
    for (;;) {
      const read = this.readReply(start);
      if (read === undefined) break;
      replies.push(read.reply);
      start = read.end;
    }
    this.bytes = this.bytes.subarray(start);
    this.pieces = [this.bytes];
    this.length = this.bytes.length;
    this.wanted = Math.max(0, this.wanted - start);
    return replies;
  }

  /** The reply from `start` on; undefined where its end has not come yet. */
  private readReply(start: number): { readonly reply: Reply; readonly end: number } | undefined {
    const lineEnd = this.bytes.indexOf('\r\n', start);
    if (lineEnd < 0) return undefined;
    const line = this.bytes.toString('utf8', start + 1, lineEnd);
    const end = lineEnd + 2;
    switch (this.bytes[start]) {
      case 0x2b: // +
        return { reply: line, end };
      case 0x2d: // -
        return { reply: new ReplyError(line), end };
      case 0x3a: // :
        return { reply: Number(line), end };
      case 0x24: // $
        return this.readBulk(Number(line), end);
      case 0x2a: // *
        return this.readArray(Number(line), end);
      default:
        throw new ReplyError(`this is no Redis server: it says ${JSON.stringify(line.slice(0, 40))}`);
    }
  }

  private readBulk(size: number, start: number): { readonly reply: Reply; readonly end: number } | undefined {
    if (size < 0) return { reply: null, end: start };
    const end = start + size;
    if (this.bytes.length < end + 2) {
      this.wanted = end + 2;
      return undefined;
    }
    return { reply: this.bytes.subarray(start, end), end: end + 2 };
  }

  private readArray(
    count: number,
    start: number,
  ): { readonly reply: Reply; readonly end: number } | undefined {
    if (count < 0) return { reply: null, end: start };
    const items: Reply[] = [];
    let end = start;
    for (let index = 0; index < count; index++) {
      const item = this.readReply(end);
      if (item === undefined) return undefined;
      items.push(item.reply);
      end = item.end;
    }
    return { reply: items, end };
  }
}

/** A reply with bytes as text. */
export function textOf(reply: Reply): Reply {
  if (reply instanceof Uint8Array)
    return Buffer.from(reply.buffer, reply.byteOffset, reply.length).toString('utf8');
  return Array.isArray(reply) ? (reply as readonly Reply[]).map(textOf) : reply;
}
