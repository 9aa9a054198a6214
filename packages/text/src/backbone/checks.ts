import { ConfigurationError } from '@dynaprompt/core';
import { PLAIN, type Sides } from '@dynaprompt/backbone';
import { PACKAGE_NAME } from '../package-name.js';
import { INPUT } from './names.js';
import type { TextModel } from './text-model.js';

/**
 * Most tokens of an example without its prompt.
 * @throws ConfigurationError if the prompt leaves no room for text, or the wanted length does not fit.
 */
export function maximumOwnTokens(reserve: number, wanted: number | undefined, modelMaximum: number): number {
  const room = modelMaximum - reserve;
  if (!Number.isInteger(reserve) || reserve < 0 || room < 8) {
    throw new ConfigurationError({
      packageName: PACKAGE_NAME,
      subject: 'prompt slots',
      problem: `${reserve} slots leave ${room} of ${modelMaximum} tokens for the text`,
      remedy: 'Use fewer slots or a backbone with more positions',
    });
  }
  const maximum = wanted ?? room;
  if (!Number.isInteger(maximum) || maximum < 4 || maximum > room) {
    throw new ConfigurationError({
      packageName: PACKAGE_NAME,
      subject: 'maximum length',
      problem: `${maximum} tokens do not fit beside ${reserve} prompt slots into ${modelMaximum} positions`,
      remedy: `Give a whole number from 4 to ${room}`,
    });
  }
  return maximum;
}

/**
 * Sides of a model that sees all of a row: nothing is won by another one than the right.
 * @throws ConfigurationError if padding is to be on the left.
 */
export function refuseLeftPadding(_: unknown, padding: 'left' | 'right'): Sides {
  if (padding === 'right') return PLAIN;
  throw new ConfigurationError({
    packageName: PACKAGE_NAME,
    subject: 'padding left',
    problem: 'the positions of an encoder begin at the left',
    remedy: 'Use padding right',
  });
}

/**
 * Refuses to train the gates of a decoder in which what is off stands behind everything: no token would see it, and its gate would
 * get no gradient, as if it were of no use.
 * @throws ConfigurationError naming the model's file.
 */
export function refuseBlindGates({ kind, graph }: TextModel, { inactive }: Sides): void {
  if (kind !== 'decoder' || inactive === 'front') return;
  throw new ConfigurationError({
    packageName: PACKAGE_NAME,
    subject: `gates with ${graph.source}`,
    problem:
      'it counts positions in a way that cannot be replaced, so a prompt token that is off would get no gradient',
    remedy: `Train a prompt of fixed length, or export the model with the input ${INPUT.positions}`,
  });
}
