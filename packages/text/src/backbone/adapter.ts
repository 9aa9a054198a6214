import type { FrozenBackbone } from '@dynaprompt/core';
import type { AdapterKind } from '../folder/families.js';
import type { BackboneFolder } from '@dynaprompt/backbone';
import type { ModelConfig } from '../folder/model-config.js';
import type { FolderOptions } from '@dynaprompt/backbone';
import type { TextExample } from '../tokenization/encode.js';
import type { Tokenizer } from '../tokenization/tokenizer.js';
import type { Head, HeadOptions } from './head.js';
import type { Sides } from '@dynaprompt/backbone';
import type { ComputeOptions } from '@dynaprompt/backbone';
import type { TextModel } from './text-model.js';

/** How a text backbone is opened. */
export interface TextBackboneOptions
  extends
    FolderOptions,
    Pick<ComputeOptions, 'compute' | 'isolated' | 'executionProviders' | 'providerFallback' | 'warn'> {
  readonly head: HeadOptions;
  /** Most slots a plan may have; so many of the model's positions are kept free of text. */
  readonly reserve: number;
  /** Most tokens of an example without its prompt; default: what the model takes less `reserve`. */
  readonly maximumTokens?: number;
  /** Threads within an operator; default: as many as onnxruntime finds cores. */
  readonly threads?: number;
  /**
   * Where the shorter examples of a batch are filled up. Logits are the same; some decoders' exports are made for the one or the
   * other. Default `right`; `left` for decoders that are told positions.
   */
  readonly padding?: 'left' | 'right';
}

/** An open text model. */
export interface TextBackbone extends FrozenBackbone<TextExample> {
  /** The options of its head, with the biases of a calibration: what it has to be opened with again to give the same bits. */
  readonly head: HeadOptions;
}

/** What one kind of model has of its own; everything else is common to all. */
export interface TextAdapter {
  readonly kind: AdapterKind;
  /** Reads the model for a head: where prompts go and where the head reads. */
  read(
    files: BackboneFolder,
    config: ModelConfig,
    head: Head,
    options?: Pick<TextBackboneOptions, 'isolated'>,
  ): Promise<TextModel>;
  /** The tokeniser as it frames the text that prompts are put into. */
  frame(tokenizer: Tokenizer): Tokenizer;
  /** Sides of padding and of tokens that are off. */
  sides(model: TextModel, padding: 'left' | 'right'): Sides;
}
