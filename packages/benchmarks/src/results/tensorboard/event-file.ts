import { maskedCrc32c } from './crc32c.js';
import { type EventMessage, eventBytes } from './messages.js';

/** What every event file begins with. */
const FILE_VERSION = 'brain.Event:2';

/** A whole event file for TensorBoard: the version, then the events, each a TFRecord. */
export function eventFile(startedAt: number, events: readonly EventMessage[]): Uint8Array {
  const version = { wallTime: startedAt, step: 0, content: { fileVersion: FILE_VERSION } };
  return Buffer.concat([version, ...events].map((event) => record(eventBytes(event))));
}

/** TFRecord: length (8 bytes), its checksum (4), the data, their checksum (4); all little-endian. */
function record(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return bytes;
}
