import {
  findPatchEmbedding,
  findTokenEmbedding,
  float32,
  injectPrompts,
  int64,
  type Graph,
  type TensorValue,
  widenPositionBiases,
} from '@dynaprompt/onnx-autodiff';
import type { CaseDescription, Reference } from './case-file.js';

type Feeds = Record<string, TensorValue>;

/** Prompts in the embeddings of one graph input. */
export interface Injection {
  /** Tensor to differentiate with respect to. */
  readonly embeddings: string;
  /** Ends the names of the prompts' graph inputs. */
  readonly suffix: string;
  /** Prompts and their places for a reference. */
  feeds(reference: Reference): Feeds;
  /** Prompts and their order for a run that finds shapes: `batch` rows of `sequence` tokens, `prompt` of them prompts. */
  probe(batch: number, sequence: number, prompt: number): Feeds;
}

/** Makes room for the prompts of a case in the embeddings of a graph input. */
export function injectInto(
  graph: Graph,
  source: string,
  description: CaseDescription,
  width: number,
): Injection {
  const suffix = description.inject.length > 1 ? `.${source}` : '';
  const isText = source !== 'pixel_values';
  const found = isText
    ? { ...findTokenEmbedding(graph, source), tokens: undefined }
    : findPatchEmbedding(graph, source);
  const injection = injectPrompts(graph, found.tensor, width, suffix);
  const { embeddings } = injection;
  if (!isText) widenPositionBiases(graph, injection);
  const tokens = found.tokens ?? description.tokens ?? 0;
  const order = (batch: number, sequence: number, places: readonly (readonly number[])[]): TensorValue => {
    const rows = Array.from({ length: batch }, (_, row) => {
      const at = places[row] ?? [];
      return isText ? overPlaceholders(sequence, at) : inserted(tokens, at.length, description.insertAt);
    });
    return int64(rows.flat(), [batch, rows[0]?.length ?? 0]);
  };
  return {
    embeddings,
    suffix,
    feeds(reference) {
      const prompts = reference.tensor(`prompt_embeddings${suffix}`);
      const [batch = 0, length = 0] = prompts.dims;
      const places = promptPlaces(reference, suffix, batch, length, isText ? 0 : description.insertAt);
      const sequence = isText ? (reference.tensor(source).dims[1] ?? 0) : tokens;
      return {
        [`prompt_embeddings${suffix}`]: prompts,
        [`prompt_order${suffix}`]: order(batch, sequence, places),
        [`prompt_slots${suffix}`]: int64(places.flat(), [batch, length]),
      };
    },
    probe(batch, sequence, prompt) {
      const places = Array.from({ length: batch }, () => range(prompt));
      const prompts = new Float32Array(batch * prompt * width).fill(0.5);
      return {
        [`prompt_embeddings${suffix}`]: float32(prompts, [batch, prompt, width]),
        [`prompt_order${suffix}`]: order(batch, sequence, places),
      };
    },
  };
}

/** Positions of the prompts, [B, P]: the reference's own, else in one run from `first`. */
function promptPlaces(
  reference: Reference,
  suffix: string,
  batch: number,
  length: number,
  first: number,
): number[][] {
  const given = reference.has(`prompt_positions${suffix}`)
    ? Array.from(reference.tensor(`prompt_positions${suffix}`).data, Number)
    : undefined;
  return Array.from({ length: batch }, (_, row) =>
    given ? given.slice(row * length, (row + 1) * length) : range(length).map((index) => first + index),
  );
}

/** Content of its own length with prompt rows over the placeholders. */
function overPlaceholders(sequence: number, places: readonly number[]): number[] {
  const row = range(sequence).map((position) => places.length + position);
  places.forEach((place, index) => (row[place] = index));
  return row;
}

/** Content with all prompt rows in front of row `at`. */
function inserted(tokens: number, prompt: number, at: number): number[] {
  const content = range(tokens).map((row) => prompt + row);
  return [...content.slice(0, at), ...range(prompt), ...content.slice(at)];
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
