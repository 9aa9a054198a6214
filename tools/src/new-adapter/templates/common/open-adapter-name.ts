import {
  fingerprint,
  frozenBackbone,
  openBackboneFolder,
  readPromptedModel,
  initialLinearHead,
  type BackboneOptions,
  type HubOptions,
} from '@dynaprompt/backbone';
import { ConfigurationError, DataError, ModelError, type FrozenBackbone } from '@dynaprompt/core';
import { checkExample, identityOf, layoutOf, type AdapterNameExample } from '../tokens/example.js';
import { KIND } from '../tokens/inputs.js';
import { readConfig } from '../sequence/config.js';
import { maximumTokensOf, readModel, type AdapterNameModel } from '../sequence/model.js';
import { placementOf } from '../sequence/placement.js';
import { startRows } from '../tokens/start-rows.js';
import { arrangeBatch } from './batch.js';
import { headOf } from './head.js';
import { PACKAGE_NAME } from './package-name.js';

/** How a backbone is opened. */
export interface AdapterNameOptions extends BackboneOptions, HubOptions {
  /** Most prompt tokens of a plan. */
  readonly reserve: number;
  /** A linear head on the mean of an example's rows, or on its last row where rows see only what is in front of them. */
  readonly head: { readonly kind: 'linear'; readonly classes: number };
}

const MODEL_FILE = 'onnx/model.onnx';

/**
 * Opens a folder, or a Hugging Face repository, as a frozen backbone.
 * @throws ModelError if files are missing or the model is none of this kind.
 * @throws ConfigurationError if an option cannot be used.
 */
export async function openAdapterName(
  location: string,
  options: AdapterNameOptions,
): Promise<FrozenBackbone<AdapterNameExample>> {
  const { reserve, head } = options;
  checkCount('reserve', reserve, 0);
  checkCount('head.classes', head.classes, 2);
  const folder = await openBackboneFolder(location, [], options);
  const config = readConfig(folder.config);
  const model = await readModel(await folder.model(MODEL_FILE), config);
  checkKind(model);
  const { width, file } = model;
  const maximumTokens = maximumTokensOf(model, reserve);
  const most = maximumTokens - reserve;
  const backbone = frozenBackbone<AdapterNameExample>({
    description: {
      name: folder.name,
      family: config.family,
      revision: fingerprint(file),
      commit: folder.commit,
      maximumTokens,
    },
    model: readPromptedModel({ ...model, head: headOf(model, head.classes), placement: placementOf(model) }),
    classes: head.classes,
    maximumSlots: reserve,
    options,
    initialHead: (seed) => initialLinearHead(head.classes, width, seed),
    arrange(examples, plan, purpose) {
      examples.forEach((example, index) => {
        const name = example.id ?? `${index}`;
        checkExample({ model, example, name });
        if (rowsOf(model, example) > most) throw tooLong(name, rowsOf(model, example), most);
      });
      return arrangeBatch(model, examples, plan, purpose);
    },
    promptRows: (count, offset, sessions) => startRows({ model, sessions, count, offset }),
    lengthOf: (example) => rowsOf(model, example),
    identify: identityOf,
  });
  // Without a mask padding would be read while weights are trained.
  if (!model.masksPadding) delete backbone.fineTuning;
  return backbone;
}

function rowsOf(model: AdapterNameModel, example: AdapterNameExample): number {
  const { before, content, after } = layoutOf({ model, example });
  return before + content + after;
}

function checkCount(subject: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new ConfigurationError({
    packageName: PACKAGE_NAME,
    subject,
    problem: `${value} is no count`,
    remedy: `Give a whole number from ${least} on`,
  });
}

function checkKind({ entry, file }: AdapterNameModel): void {
  if (entry.kind === KIND) return;
  throw new ModelError({
    packageName: PACKAGE_NAME,
    subject: file,
    problem: `its rows are ${entry.kind}, not ${KIND}`,
    remedy: 'Make an adapter for this model',
  });
}

function tooLong(name: string, rows: number, most: number): DataError {
  return new DataError({
    packageName: PACKAGE_NAME,
    subject: `example ${name}`,
    problem: `it has ${rows} rows, and beside the prompt there is room for ${most}`,
    remedy: 'Cut it, or reserve fewer prompt tokens',
  });
}
