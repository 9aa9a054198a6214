import type { Graph } from '@dynaprompt/onnx-autodiff';

/** Which family a model belongs to. */
export interface FamilyGuess {
  /** As `model_type` of config.json has it; undefined where nothing tells. */
  readonly family: string | undefined;
  /** `config.json` says it; `names` of tensors and nodes suggest it. */
  readonly from: 'config.json' | 'names' | undefined;
}

/** Parts of the names that torch gives to modules of a family; the first that is found counts. */
const SIGNS: readonly (readonly [family: string, sign: RegExp])[] = [
  ['distilbert', /(^|[./])distilbert[./]/],
  ['deberta-v2', /(^|[./])deberta[./]/],
  ['roberta', /(^|[./])roberta[./]/],
  ['electra', /(^|[./])electra[./]/],
  ['albert', /(^|[./])albert[./]/],
  ['mpnet', /(^|[./])mpnet[./]/],
  ['bert', /(^|[./])bert[./]/],
  ['dinov2', /(^|[./])dinov2[./]/],
  ['swin', /(^|[./])swin[./]/],
  ['beit', /(^|[./])beit[./]/],
  ['deit', /(^|[./])deit[./]/],
  ['vit', /(^|[./])vit[./]/],
  ['clip', /(^|[./])(vision|text)_model[./]/],
  ['gpt2', /(^|[./])(transformer[./])?h[./]\d+[./](attn|mlp|ln_)|c_attn/],
  ['t5', /(^|[./])(encoder|decoder)[./]block[./]\d+/],
  ['bart', /(^|[./])model[./](encoder|decoder)[./]layers[./]\d+/],
  ['llama', /(^|[./])model[./]layers[./]\d+/],
];

/** Guesses from the names in a graph. */
export function guessFamily(graph: Graph): FamilyGuess {
  const names = [...graph.initializers.keys(), ...[...graph.nodes].map(({ name }) => name)];
  const found = SIGNS.find(([, sign]) => names.some((name) => sign.test(name)));
  return { family: found?.[0], from: found && 'names' };
}
