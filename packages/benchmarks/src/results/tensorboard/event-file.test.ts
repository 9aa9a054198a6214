import { describe, expect, it } from '@jest/globals';
import { nullThrows } from '@dynaprompt/core';
import { readEventFile } from '../../testing/event-reader.js';
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
  it('has a folder for each run', () => {
    const results = resultsWithUsage();
    const files = tensorBoardFiles(results);
    const folders = [...files.keys()].map((path) => path.split('/').slice(0, 2).join('/'));
    expect(folders).toEqual(
      ['frozen-seed1', 'frozen-seed2', 'dynamic-seed1', 'dynamic-seed2', 'single-seed1'].map(
        (name) => `tensorboard/${name}`,
      ),
    );
  });

  it('says what the results say, with sound checksums', () => {
    const results = resultsWithUsage();
    const usageOverTraining = [
      { seed: 1, step: 10, positions: [30, 0, 10], lengths: [0, 40], pool: null },
      { seed: 1, step: 200, positions: [0, 40, 0], lengths: [40, 0], pool: null },
      { seed: 2, step: 10, positions: [13, 14, 13], lengths: [20, 20], pool: null },
    ];
    const dynamic = { ...nullThrows(results.methods.dynamic, 'the method'), usageOverTraining };
    const files = tensorBoardFiles({ ...results, methods: { ...results.methods, dynamic } });
    const read = [...files].map(([path, bytes]) => [path, readEventFile(bytes)] as const);
    const inFile = (method: string, seed: number): ReturnType<typeof readEventFile> =>
      nullThrows(read.find(([path]) => path.includes(`/${method}-seed${seed}/`)), 'a file')[1];
    for (const [name, method] of Object.entries({ ...results.methods, dynamic })) {
      for (const { seed, loss, validation } of method.curves) {
        const { version, points } = inFile(name, seed);
        expect(version).toBe('brain.Event:2');
        const told = (wanted: string): unknown =>
          points.flatMap(({ tag, step, value }) => (tag === wanted ? [{ step, value }] : []));
        const single = (curve: typeof loss): unknown =>
          curve.map(({ step, value }) => ({ step, value: Math.fround(value) }));
        expect(told('train/loss')).toEqual(single(loss));
        expect(told(`validation/${results.metric}`)).toEqual(single(validation));
        const chosen = name === 'dynamic' ? usageOverTraining.filter((point) => point.seed === seed) : [];
        expect(told('choices/position')).toEqual(
          chosen.map(({ step, positions }) => ({ step, value: positions })),
        );
        expect(told('choices/length')).toEqual(chosen.map(({ step, lengths }) => ({ step, value: lengths })));
        const others = points.filter(({ tag }) => !/^(train|validation|choices)\//.test(tag));
        expect(others).toEqual([]);
      }
    }
    const [[, sound] = []] = files;
    const damaged = nullThrows(sound, 'a file').slice();
    damaged[20] = (damaged[20] ?? 0) ^ 1;
    expect(() => readEventFile(damaged)).toThrow('record 0 is damaged');
  });
});
