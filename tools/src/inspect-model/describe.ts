import type { InspectedValue, ModelInspection } from '@dynaprompt/backbone';

/** Whether a model can be tuned and how, in one line. */
export function verdictOf({ isTunable, reasons, adapter, entry, layers }: ModelInspection): string {
  if (!isTunable || !entry) return `cannot be tuned: ${reasons.join('; ')}`;
  const where =
    layers.length > 1
      ? `prompts among the rows of ${entry.input}, in any of ${layers.length} layers`
      : `prompts among the rows of ${entry.input}, in the first layer only`;
  const how =
    adapter === 'new-adapter'
      ? 'no adapter is known to take it: npm run new-adapter -- NAME --model FOLDER makes one'
      : `${adapter ?? ''} takes it`;
  return `can be tuned: ${where}; ${how}`;
}

/** A report for people, a line for each thing that was found. */
export function describe(inspection: ModelInspection): readonly string[] {
  const { entry, family, familyFrom, dtypes, quantisation, externalData } = inspection;
  const source = familyFrom === 'names' ? ', guessed from the names of its tensors' : ', of config.json';
  const missing = inspection.withoutGradient.map(({ operator, count }) => `${count} × ${operator}`);
  const weights = Object.entries(dtypes).map(([type, count]) => `${count.toLocaleString('en')} ${type}`);
  const rows: readonly (readonly [string, string])[] = [
    ['file', inspection.file],
    [
      'family',
      `${family === undefined ? 'unknown' : `${family}${source}`} (${inspection.architecture}, opset ${inspection.opset})`,
    ],
    ['inputs', inspection.inputs.map(valueText).join(', ')],
    ['outputs', shortened(inspection.outputs.map(valueText)).join(', ')],
    ['parameters', inspection.parameters.toLocaleString('en')],
    ['dtype', [...weights, ...quantisation].join(', ')],
    ...(externalData.length === 0 ? [] : [['weights in', externalData.join(', ')] as const]),
    ['embeddings', entry ? `${entry.tensor} [B, rows, ${entry.width}], ${detailOf(entry)}` : 'not found'],
    ['last hidden state', inspection.hidden ?? 'not found'],
    [
      'attention layers',
      `${inspection.attentionLayers}, inputs: ${inspection.layers.join(', ') || 'not found'}`,
    ],
    ['operators without a gradient', missing.join(', ') || 'none'],
    ['verdict', verdictOf(inspection)],
  ];
  const notes = inspection.isTunable ? inspection.reasons.map((reason) => ['note', reason] as const) : [];
  return [...rows, ...notes].map(([name, text]) => `${`${name}:`.padEnd(30)}${text}`);
}

/** Most outputs that are listed: a decoder has two for each layer. */
const LISTED = 4;

function shortened(texts: readonly string[]): readonly string[] {
  if (texts.length <= LISTED) return texts;
  return [...texts.slice(0, LISTED), `${texts.length - LISTED} more`];
}

function valueText({ name, dtype, dims }: InspectedValue): string {
  const extents = dims?.map((extent) => extent ?? '?').join(', ');
  return `${name} ${dtype} [${extents ?? '…'}]`;
}

function detailOf(entry: NonNullable<ModelInspection['entry']>): string {
  if (entry.kind === 'tokens') return `looked up by ${entry.input} among ${entry.vocabulary ?? 0} tokens`;
  if (entry.kind === 'values') return `projected from ${entry.input}, ${entry.channels ?? 0} values a row`;
  const positions = entry.hasPositions === true ? 'with' : 'without';
  return `cut out of ${entry.input} ${positions} positions, ${entry.special ?? 0} rows in front of them`;
}
