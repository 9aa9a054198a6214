import { describe, expect, it } from '@jest/globals';
import { nullThrows } from '@dynaprompt/core';
import { resultsWithUsage } from '../../testing/example-results.js';
import { crc32c, maskedCrc32c } from './crc32c.js';
import { eventFile } from './event-file.js';
import { tensorBoardFiles } from './run-events.js';

describe('crc32c', () => {
  it('agrees with the vectors of RFC 3720, appendix B.4', () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index))).toBe(0x46dd794e);
  });

  it('is masked as TFRecord files want it', () => {
    const check = new TextEncoder().encode('123456789');
    expect(crc32c(check)).toBe(0xe3069283);
    expect(maskedCrc32c(check)).toBe(0xc78ab0e5);
  });
});

describe('eventFile', () => {
  it('has the bytes that google.protobuf writes', () => {
    // Python: Event, Summary and HistogramProto as dynamic messages of google.protobuf 4.21, SerializeToString(), each framed with
    // struct.pack('<Q', len(data)) and a CRC-32C computed bit by bit.
    const expected =
      'GAAAAAAAAACjf0siCQAAQGnNVdpBGg1icmFpbi5FdmVudDoyOlWv2KoAAAAAAAAArbVJIgkAAKBqzVXaQRCsAiqbAQoRCgp0cmFpbi9sb3NzFQAAID8KhQEKEGNob2ljZXMvcG9zaXRpb24qcQkAAAAAAADwPxEAAAAAAAAIQBkAAAAAAAAgQCEAAAAAAAAyQCkAAAAAAABIQDIgAAAAAAAA4D8AAAAAAAD4PwAAAAAAAARAAAAAAAAADEA6IAAAAAAAAAAAAAAAAAAACEAAAAAAAAAAAAAAAAAAABRAbxIppA==';
    const values = [
      { tag: 'train/loss', scalar: 0.625 },
      { tag: 'choices/position', counts: [0, 3, 0, 5] },
    ];
    const written = eventFile(1_767_323_045, [{ wallTime: 1_767_323_050.5, step: 300, content: { values } }]);
    expect(Buffer.from(written).toString('base64')).toBe(expected);
  });
});

describe('tensorBoardFiles', () => {
  it('has a folder for each run, and an event for each step', () => {
    const results = resultsWithUsage();
    const files = tensorBoardFiles(results);
    const folders = [...files.keys()].map((path) => path.split('/').slice(0, 2).join('/'));
    expect(folders).toEqual(
      ['frozen-seed1', 'frozen-seed2', 'dynamic-seed1', 'dynamic-seed2', 'single-seed1'].map(
        (name) => `tensorboard/${name}`,
      ),
    );
    const [bytes] = files.values();
    // The version and 20 steps, told apart by their lengths.
    expect(recordsOf(nullThrows(bytes, 'a file'))).toHaveLength(21);
  });

  it('tells what the prompt chose', () => {
    const results = resultsWithUsage();
    const { dynamic } = results.methods;
    const usageOverTraining = [{ seed: 1, step: 10, positions: [30, 0, 10], lengths: [0, 40], pool: null }];
    const told = tensorBoardFiles({
      ...results,
      methods: { dynamic: { ...nullThrows(dynamic, 'the method'), usageOverTraining } },
    });
    const [first, second] = [...told.values()].map((bytes) => Buffer.from(bytes).toString('latin1'));
    expect(first).toContain('choices/position');
    expect(first).toContain('choices/length');
    expect(first).toContain('validation/accuracy');
    expect(second).not.toContain('choices/');
  });
});

function recordsOf(bytes: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: Uint8Array[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const length = Number(view.getBigUint64(offset, true));
    records.push(bytes.subarray(offset + 12, offset + 12 + length));
    offset += length + 16;
  }
  return records;
}
