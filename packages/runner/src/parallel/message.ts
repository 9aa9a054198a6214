import { createHash } from 'node:crypto';

import type { ParameterSet } from '@dynaprompt/core';
import type { PassAnswer } from '@dynaprompt/training';

/** What a rank tells the others of a step. */
export interface StepMessage {
  /** SHA-256 of the parameters before the step. */
  readonly digest: string;
  /** Passes of the step. */
  readonly count: number;
  /** Whether it was asked to stop. */
  readonly stops: boolean;
  readonly own: ReadonlyMap<number, PassAnswer>;
}

/** A tensor in the message: whose, and how many numbers. */
interface TensorPlace {
  readonly name: string;
  readonly length: number;
}

interface Header {
  readonly digest: string;
  readonly count: number;
  readonly stops: boolean;
  readonly passes: readonly {
    readonly index: number;
    /** As text: JSON has no NaN. */
    readonly loss: string;
    readonly plan: readonly TensorPlace[];
    readonly head: readonly TensorPlace[];
  }[];
}

const planFields = ['prompts', 'position', 'gates', 'deep'] as const;

/** A 32-bit length, a header in JSON, and the numbers of all tensors as float32 in the byte order of the machine. */
export function encodeMessage({ digest, count, stops, own }: StepMessage): Uint8Array {
  const tensors: Float32Array[] = [];
  const place = (name: string, values: Float32Array): TensorPlace => {
    tensors.push(values);
    return { name, length: values.length };
  };
  const passes = [...own].map(([index, { loss, plan, head }]) => ({
    index,
    loss: String(loss),
    plan: planFields.flatMap((name) => {
      const values = plan[name];
      return values === undefined ? [] : [place(name, values)];
    }),
    head: [...head].map(([name, values]) => place(name, values)),
  }));
  const header = Buffer.from(JSON.stringify({ digest, count, stops, passes } satisfies Header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  const numbers = tensors.map(({ buffer, byteOffset, byteLength }) =>
    Buffer.from(buffer, byteOffset, byteLength),
  );
  return Buffer.concat([length, header, ...numbers]);
}

export function decodeMessage(message: Uint8Array): StepMessage {
  // A copy, so that the numbers start where float32 may.
  const bytes = Buffer.from(message);
  const headerEnd = 4 + bytes.readUInt32LE(0);
  const { digest, count, stops, passes } = JSON.parse(bytes.toString('utf8', 4, headerEnd)) as Header;
  const numbers = new Float32Array(new Uint8Array(bytes.subarray(headerEnd)).buffer);
  let start = 0;
  const take = ({ name, length }: TensorPlace): [string, Float32Array] => {
    const values = numbers.slice(start, start + length);
    start += length;
    return [name, values];
  };
  const own = passes.map(({ index, loss, plan, head }): [number, PassAnswer] => {
    const fields = Object.fromEntries(plan.map(take)) as unknown as PassAnswer['plan'];
    return [index, { loss: Number(loss), plan: fields, head: new Map(head.map(take)) }];
  });
  return { digest, count, stops, own: new Map(own) };
}

/** Name of the values of parameters: equal bits, equal digests. */
export function digestOf(parameters: ParameterSet): string {
  const hash = createHash('sha256');
  for (const [name, { values }] of parameters) {
    hash.update(name).update(Buffer.from(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest('hex');
}
