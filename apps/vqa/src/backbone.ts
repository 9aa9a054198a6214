import { openVqa, openVqaProbe, type VqaBackbone } from '@dynaprompt/clip';
import type { FrozenBackbone } from '@dynaprompt/core';
import { placeOf } from '@dynaprompt/runner';
import { FeatureCache } from '@dynaprompt/training';
import type { Dtype, VisionExample } from '@dynaprompt/vision';

import { bundled } from './bundled.js';
import type { VqaHead } from './head.js';

/** How a backbone is opened. */
export interface OpenOptions {
  readonly head: VqaHead;
  /** The answers that it chooses from, in label order. */
  readonly answers: readonly string[];
  /** Prompt slots to leave room for. */
  readonly slots: number;
  /** Threads within an operator; default: as many as there are cores. */
  readonly threads?: number;
  /** Arithmetic of large products; default: float32. */
  readonly compute?: 'float32' | 'int8';
  /** Element type of the weights, which says what file is opened; default: fp32. */
  readonly dtype?: Dtype | undefined;
}

/** Opens a folder in the Hugging Face layout, a bundled model by its name, or a hub id, for prompts. */
export function openBackbone(location: string, options: OpenOptions): Promise<VqaBackbone> {
  const { head, answers, slots } = options;
  const { use, prompts, coupling, template } = head;
  return openVqa(placeOf(location, bundled), {
    ...sharedOf(options),
    head:
      head.kind === 'candidates'
        ? { kind: 'candidates', answers, ...(template !== null && { template }) }
        : { kind: 'classification', answers },
    ...(head.kind === 'linear' && template !== null && { questionTemplate: template }),
    use,
    prompts,
    ...(coupling !== null && { coupling }),
    reserve: slots,
  });
}

/** Opens the same for methods without a prompt: a linear layer on what both towers say, or similarities as they are. */
export function openProbe(location: string, options: OpenOptions): Promise<VqaBackbone> {
  const { head, answers } = options;
  if (head.kind === 'candidates') {
    return openBackbone(location, {
      ...options,
      head: { ...head, prompts: 'text', coupling: null },
      slots: 0,
    });
  }
  const { use, template } = head;
  return openVqaProbe(placeOf(location, bundled), {
    ...sharedOf(options),
    answers,
    use,
    ...(template !== null && { questionTemplate: template }),
  });
}

function sharedOf({ threads, compute, dtype }: OpenOptions) {
  return {
    imageCache: (images: FrozenBackbone<VisionExample>) => new FeatureCache(images),
    ...(threads !== undefined && { threads }),
    ...(compute !== undefined && { compute }),
    ...(dtype !== undefined && { dtype }),
  };
}
