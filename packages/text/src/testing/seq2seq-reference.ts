import { float32, int64, type TensorValue } from '@dynaprompt/onnx-autodiff';
import { fixtureFile, SEQ2SEQ, type FixtureModel } from './fixture-folders.js';
import { at } from './numbers.js';
import { openUncached } from './run-uncached.js';

/** What the files of an encoder and a decoder answer by themselves, one text at a time. */
export interface Seq2SeqReference {
  readonly model: FixtureModel;
  /** Ids of a text's words with the special tokens around them. */
  framed(...words: readonly number[]): readonly number[];
  /** Last hidden state [T, d]. */
  hiddenOf(text: readonly number[]): Promise<Float32Array>;
  /** Logits [vocabulary] of the first word of an answer. */
  firstOf(text: readonly number[]): Promise<Float32Array>;
  /** The same behind a hidden state [T, d]. */
  firstBehind(hidden: Float32Array): Promise<Float32Array>;
  /** Σ log p of an answer's tokens. */
  likelihoodOf(text: readonly number[], answer: readonly number[]): Promise<number>;
  release(): Promise<void>;
}

const VOCABULARY = 64;
/** Special tokens around a text, and what a decoder reads in front of an answer, by the start of a name. */
const FRAMES = {
  t5: { before: [], after: [1], prefix: [0] },
  // Targets begin with <s> as texts do, behind </s>.
  bart: { before: [0], after: [2], prefix: [2, 0] },
  mbart: { before: [], after: [2, 4], prefix: [4] },
} as const;

/** The reference of a model of {@link SEQ2SEQ}. */
export async function openSeq2SeqReference(name: string): Promise<Seq2SeqReference> {
  const model = SEQ2SEQ[name];
  const frame = Object.entries(FRAMES).find(([start]) => name.startsWith(start))?.[1];
  if (!model || !frame) throw new Error(`no such fixture: ${name}`);
  const [encoderFile = '', decoderFile = ''] = Object.values(model.files).map(fixtureFile);
  const [encoder, decoder] = [await openUncached(encoderFile), await openUncached(decoderFile)];
  const ones = (count: number): TensorValue => int64(new Int32Array(count).fill(1), [1, count]);
  const hiddenOf = (text: readonly number[]): Promise<Float32Array> =>
    encoder.run({ input_ids: int64(text, [1, text.length]), attention_mask: ones(text.length) });
  /** Logits [S, vocabulary] of the decoder. */
  const logitsOf = (hidden: Float32Array, decoded: readonly number[]): Promise<Float32Array> => {
    const width = Number(model.config.d_model);
    const rows = hidden.length / width;
    return decoder.run({
      encoder_hidden_states: float32(hidden, [1, rows, width]),
      encoder_attention_mask: ones(rows),
      input_ids: int64(decoded, [1, decoded.length]),
    });
  };
  const firstBehind = async (hidden: Float32Array): Promise<Float32Array> =>
    (await logitsOf(hidden, frame.prefix)).subarray(-VOCABULARY);
  return {
    model,
    framed: (...words) => [...frame.before, ...words, ...frame.after],
    hiddenOf,
    firstBehind,
    firstOf: async (text) => firstBehind(await hiddenOf(text)),
    async likelihoodOf(text, answer) {
      const logits = await logitsOf(await hiddenOf(text), [...frame.prefix, ...answer.slice(0, -1)]);
      return answer.reduce((sum, id, index) => {
        const start = (frame.prefix.length - 1 + index) * VOCABULARY;
        const row = Array.from(logits.subarray(start, start + VOCABULARY));
        return sum + at(row, id) - Math.log(row.reduce((total, value) => total + Math.exp(value), 0));
      }, 0);
    },
    async release() {
      await encoder.release();
      await decoder.release();
    },
  };
}
