import { nullThrows, type RandomStream } from '@dynaprompt/core';
import { type ColorName, colorNames, type Concept } from './concepts.js';

/** Combinations that no training scene shows. */
export interface HeldOutCombinations {
  /** The one colour that is held out for each concept. */
  readonly colorOf: (concept: Concept) => ColorName;
  /** Concepts that never stand together with this one, two for each. */
  readonly partnersOf: (concept: Concept) => readonly Concept[];
}

/**
 * Draws the held-out combinations: for each concept one colour, every colour for about as many concepts, and the pairs of
 * neighbours in a ring of all concepts.
 */
export function heldOutCombinations(concepts: readonly Concept[], random: RandomStream): HeldOutCombinations {
  const palette = random.shuffle([...colorNames]);
  const inOrder = random.shuffle([...concepts]);
  const colors = new Map(
    inOrder.map((concept, index) => [concept, nullThrows(palette[index % palette.length], 'a colour')]),
  );
  const ring = random.shuffle([...concepts]);
  const partners = new Map(
    ring.map((concept, index) => {
      const neighbours = [ring.at(index - 1), ring.at((index + 1) % ring.length)];
      return [concept, neighbours.filter((other) => other !== undefined && other !== concept)];
    }),
  );
  return {
    colorOf: (concept) => nullThrows(colors.get(concept), 'every concept has a held-out colour'),
    partnersOf: (concept) => (partners.get(concept) ?? []).filter((other) => other !== undefined),
  };
}
