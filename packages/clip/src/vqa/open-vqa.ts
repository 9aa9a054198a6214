import { createHash } from 'node:crypto';
import { initialLinearHead } from '@dynaprompt/backbone';
import { DataError, type FrozenBackbone } from '@dynaprompt/core';
import { dualBackbone } from '../dual/dual-backbone.js';
import type { DualTask } from '../dual/dual-task.js';
import { embeddingBackbone } from '../dual/embedding-backbone.js';
import { openDual, type OpenedDual } from '../dual/open-dual.js';
import { fused } from '../dual/score-rows.js';
import { fusedWidth } from '../graph/scores.js';
import { PACKAGE_NAME } from '../package-name.js';
import { startIds } from '../recognition/start-ids.js';
import { type ReadText, readTexts } from '../towers/read-text.js';
import type { TokenRow } from '../towers/text-batch.js';
import { cutRow, parseWording, tokenRow, worded, type Wording } from '../towers/token-rows.js';
import { checkVqa, type VqaExample, type VqaOptions } from './vqa-options.js';

/**
 * Opens CLIP, SigLIP or Chinese-CLIP for questions about pictures, with prompts in the tower that reads the text, the tower that
 * looks at the picture, or both.
 * @param location as that of `openClip`.
 * @returns a backbone whose features are those of question and picture side by side (taken to the width of the prompts by a fixed
 * random map), and whose logits are [B, answers]; −10⁹ behind the last candidate of an example.
 * @throws as `openClip` does.
 */
export async function openVqa(location: string, options: VqaOptions): Promise<VqaBackbone> {
  const classes = checkVqa(options);
  const opened = await openDual(location, options);
  const task = vqaTask(opened, options, classes);
  return vqaBackbone(opened, options, task);
}

/** A dual encoder that answers questions. */
export interface VqaBackbone extends FrozenBackbone<VqaExample> {
  /** Texts that are read of an example without a prompt: the question, or a statement for each candidate; none where none is read. */
  textsOf(example: VqaExample): readonly ReadText[];
}

/** How a dual encoder is opened for a linear probe on question and picture. */
export type VqaProbeOptions = Pick<VqaOptions, 'use' | 'questionTemplate'> &
  Omit<VqaOptions, 'head' | 'prompts' | 'coupling' | 'layers' | 'reserve' | 'trainLogitScale'> & {
    readonly answers: readonly string[];
  };

/**
 * Opens a dual encoder with a linear layer on [v; t; v⊙t] of picture and question (v or t alone by `use`): the baseline
 * `linear-probe`.
 * @throws as `openVqa` does.
 */
export async function openVqaProbe(
  location: string,
  { answers, ...options }: VqaProbeOptions,
): Promise<VqaBackbone> {
  const head = { kind: 'classification', answers } as const;
  const prompts = options.use === 'image' ? 'vision' : 'text';
  const all: VqaOptions = { ...options, head, prompts, reserve: 0 };
  const classes = checkVqa(all);
  const opened = await openDual(location, all);
  const { encoder } = opened;
  const { width } = encoder.parts;
  const task = vqaTask(opened, all, classes);
  const { reads } = task;
  const backbone = vqaBackbone(opened, all, task);
  const probe = embeddingBackbone<VqaExample>({
    ...backbone,
    width: fusedWidth({ width, reads }),
    async rows(examples) {
      const images = reads.images ? await encoder.images.read(examples) : undefined;
      const texts = reads.texts
        ? await encoder.texts.read(examples.flatMap((one) => task.textsOf(one)))
        : undefined;
      return fused(images, texts, width);
    },
    identify: (example) => `fused ${String(backbone.identify(example))}`,
  });
  return { ...probe, textsOf: (example) => backbone.textsOf(example) };
}

function vqaBackbone(opened: OpenedDual, options: VqaOptions, task: DualTask<VqaExample>): VqaBackbone {
  const { encoder, config, logitScale, making, tokenizer } = opened;
  const backbone = dualBackbone<VqaExample>({
    family: config.name,
    encoder,
    task,
    logitScale,
    startIds: startIds(tokenizer, options.questionTemplate ?? ''),
    making,
  });
  return { ...backbone, textsOf: (example) => readTexts(tokenizer, task.textsOf(example)) };
}

function vqaTask(opened: OpenedDual, options: VqaOptions, classes: number): DualTask<VqaExample> {
  const { tokenizer, maximumTokens, encoder } = opened;
  const { head, use = 'both', questionTemplate = '{question}' } = options;
  const { width } = encoder.parts;
  const isFused = head.kind === 'classification';
  const reads = isFused
    ? { images: use !== 'question', texts: use !== 'image' }
    : { images: true, texts: true };
  const questions = parseWording(questionTemplate, 'question');
  const questionRow = remember(({ question }: VqaExample) =>
    cutRow(tokenRow(tokenizer, questions, question), maximumTokens),
  );
  // There may be thousands of answers, and millions of examples.
  const setting = createHash('sha256')
    .update(JSON.stringify([use, head, questionTemplate]))
    .digest('hex');
  const statements = isFused ? undefined : statementsOf(opened, options, classes);
  return {
    classes,
    scoring: isFused ? 'fused' : 'own',
    reads,
    shared: [],
    textsOf: (example) => {
      if (statements) return statements(example);
      return reads.texts ? [questionRow(example)] : [];
    },
    imageOf: (example) => example,
    ...(use === 'image' ? {} : { featureTextOf: questionRow }),
    ...(!isFused && use === 'question' ? { standInOf: questionRow } : {}),
    initialHead: (seed) =>
      isFused ? initialLinearHead(classes, fusedWidth({ width, reads }), seed) : new Map(),
    countOf: (example) => (statements ? statements(example).length : classes),
    identify: ({ question, candidates }) => JSON.stringify([question, candidates ?? null, setting]),
  };
}

/** Statements of question and answer, one for each candidate of an example. */
function statementsOf(
  { tokenizer, maximumTokens }: OpenedDual,
  { head, use = 'both' }: VqaOptions,
  most: number,
): (example: VqaExample) => readonly TokenRow[] {
  const { answers, template = '{question} {answer}' } = head as Extract<
    VqaOptions['head'],
    { kind: 'candidates' }
  >;
  const wording: Wording = parseWording(template, 'answer');
  const plain: Wording = { before: '', after: '' };
  if (template.includes('{question}')) parseWording(template, 'question');
  const statement = (question: string, answer: string): TokenRow => {
    const words = worded(wording, answer).replace('{question}', () => (use === 'image' ? '' : question));
    const text = use === 'image' ? answer : words;
    return cutFront(tokenRow(tokenizer, plain, text), tokenizer.encode(answer).length, maximumTokens);
  };
  return remember((example) => {
    const own = answers ?? example.candidates ?? [];
    if (own.length < 1 || own.length > most) {
      throw new DataError({
        packageName: PACKAGE_NAME,
        subject: `example ${example.id}`,
        problem: `it has ${own.length} candidates, not 1 to ${most}`,
        remedy: 'Give it candidates, or open the backbone with answers, or with more of them',
      });
    }
    return own.map((answer) => statement(example.question, answer));
  });
}

/** A statement of at most `most` tokens: what is too much is cut out in front of the answer at its end. */
function cutFront(row: TokenRow, answer: number, most: number): TokenRow {
  const { before, content, after } = row.layout;
  const excess = row.ids.length - most;
  if (excess <= 0) return row;
  const kept = Math.max(0, content - answer - excess);
  const end = before + content;
  const tail = Math.min(answer, content - excess);
  return {
    ids: [...row.ids.slice(0, before + kept), ...row.ids.slice(end - tail)],
    layout: { before, content: kept + tail, after },
  };
}

/** What is made of an example, once. */
function remember<Example extends object, T>(make: (example: Example) => T): (example: Example) => T {
  const known = new WeakMap<Example, { readonly made: T }>();
  return (example) => {
    const found = known.get(example) ?? { made: make(example) };
    known.set(example, found);
    return found.made;
  };
}
