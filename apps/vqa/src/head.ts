import type { PromptedTowers, VqaOptions, VqaUse } from '@dynaprompt/clip';
import { DataError } from '@dynaprompt/core';
import type { Head } from '@dynaprompt/runner';
import type { Adapter } from '@dynaprompt/training';

import { packageName } from './package-name.js';

/** Ways to answer: a layer on both towers' embeddings that is trained, or the similarity of picture and statement. */
export const modes = ['classification', 'candidates'] as const;

export type Mode = (typeof modes)[number];

/** The same as heads of backbones are called. */
export const vqaHeads = ['linear', 'candidates'] as const;

export type VqaHeadKind = (typeof vqaHeads)[number];

export const uses = ['both', 'question', 'image'] as const satisfies readonly VqaUse[];

export const promptedTowers = ['text', 'vision', 'both'] as const satisfies readonly PromptedTowers[];

export const couplings = ['linear', 'independent'] as const satisfies readonly VqaOptions['coupling'][];

/** How questions are read and answered. */
export interface VqaHead extends Head {
  readonly kind: VqaHeadKind;
  /** What of an example is looked at. */
  readonly use: VqaUse;
  /** Towers that prompts stand in. */
  readonly prompts: PromptedTowers;
  /** Of prompts in both towers. */
  readonly coupling: 'linear' | 'independent' | null;
  /** Words around a question, or of a statement with its answer; null: those of the backbone. */
  readonly template: string | null;
}

/** What of a head is chosen on the command line. */
export interface HeadChoice extends Pick<VqaHead, 'use' | 'coupling' | 'template'> {
  readonly head: string;
  /** Null: the tower of the question, or the other one where no question is read. */
  readonly prompts: PromptedTowers | null;
}

/** The head that was chosen, with what was left open. */
export function headOf({ head, use, prompts, coupling, template }: HeadChoice): VqaHead {
  const kind = head === 'candidates' ? 'candidates' : 'linear';
  const readsText = kind === 'candidates' || use !== 'image';
  const towers = prompts ?? (readsText ? 'text' : 'vision');
  return {
    kind,
    use,
    prompts: towers,
    coupling: towers === 'both' ? (coupling ?? 'linear') : coupling,
    template,
  };
}

/** How the head of an adapter is opened again. @throws DataError when this application has no such head. */
export function headOfAdapter({ head }: Pick<Adapter, 'head'>, folder: string): VqaHead {
  const { kind, classes, labels, options } = head;
  const known = {
    kind: vqaHeads.find((each) => each === kind),
    use: uses.find((each) => each === options.use),
    prompts: promptedTowers.find((each) => each === options.prompts),
  };
  const coupling = couplings.find((each) => each === options.coupling) ?? null;
  const template = typeof options.template === 'string' ? options.template : null;
  if (known.kind && known.use && known.prompts && labels.length === classes) {
    return { kind: known.kind, use: known.use, prompts: known.prompts, coupling, template };
  }
  throw new DataError({
    packageName,
    subject: folder,
    problem: `its head, ${kind} ${JSON.stringify(options)}, is none that questions can be answered with`,
    remedy: 'Name an adapter that run of this application saved',
  });
}
