/** How a model reads a text: all of it at once, from left to right, or by an encoder for a decoder. */
export type AdapterKind = 'encoder' | 'decoder' | 'seq2seq';

/** What a family calls its extents in config.json, and what its positions are counted from. */
export interface Family {
  readonly adapter: AdapterKind;
  /** Field of the width of the hidden states. */
  readonly width: string;
  /** Field of the width of the token embeddings, where it is another one and they are summed up before they are widened. */
  readonly embedding?: string;
  /** Field of the most tokens, and what holds where a config leaves it out. */
  readonly positions: string;
  readonly defaultPositions?: number;
  /** Positions are counted from the padding token's id on (fairseq), so that many cannot be used. */
  readonly countsFromPadding?: true;
}

const encoder: Family = { adapter: 'encoder', width: 'hidden_size', positions: 'max_position_embeddings' };
const decoder: Family = { ...encoder, adapter: 'decoder' };
const bart: Family = { adapter: 'seq2seq', width: 'd_model', positions: 'max_position_embeddings' };

/** Families by `model_type` whose exports the adapters have been checked with. */
export const FAMILIES: Readonly<Record<string, Family>> = {
  bert: encoder,
  roberta: { ...encoder, countsFromPadding: true },
  'xlm-roberta': { ...encoder, countsFromPadding: true },
  mpnet: { ...encoder, countsFromPadding: true },
  distilbert: { ...encoder, width: 'dim' },
  albert: { ...encoder, embedding: 'embedding_size' },
  electra: { ...encoder, embedding: 'embedding_size' },
  'deberta-v2': encoder,
  modernbert: encoder,
  gpt2: { adapter: 'decoder', width: 'n_embd', positions: 'n_positions' },
  opt: decoder,
  llama: decoder,
  mistral: decoder,
  qwen2: decoder,
  qwen3: decoder,
  // Relative positions: any length is possible, this is the one of the training.
  t5: { adapter: 'seq2seq', width: 'd_model', positions: 'n_positions', defaultPositions: 512 },
  bart,
  mbart: bart,
};

/** Names of the families that an adapter takes. */
export function familiesOf(adapter: AdapterKind): readonly string[] {
  return Object.keys(FAMILIES).filter((family) => FAMILIES[family]?.adapter === adapter);
}

/** `model_type`s that the encoder adapter takes. */
export const ENCODER_FAMILIES = familiesOf('encoder');
/** `model_type`s that the decoder adapter takes. */
export const DECODER_FAMILIES = familiesOf('decoder');
/** `model_type`s that the seq2seq adapter takes. */
export const SEQ2SEQ_FAMILIES = familiesOf('seq2seq');
