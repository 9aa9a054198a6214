import type { RandomStream } from '@dynaprompt/core';
import type { HeldOutCombinations } from './combinations.js';
import { type ColorName, colorNames, type Concept } from './concepts.js';
import { oneOf } from './quotas.js';

/** A drawing on its square. */
export interface Thing {
  readonly concept: Concept;
  /** Of the square. */
  readonly color: ColorName;
  /** Code of the drawing. */
  readonly drawing: string;
  /** Side of the drawing over that of its square. */
  readonly scale: number;
  /** Where in the room that is left it stands, [across, down], 0 … 1. */
  readonly shift: readonly [number, number];
}

/** One square that fills the picture, or four: top left, top right, bottom left, bottom right; undefined where it is empty. */
export type Cells = readonly (Thing | undefined)[];

/** What things are chosen from. */
export interface Stock {
  readonly concepts: readonly Concept[];
  /** Codes of the drawings that may be shown. */
  readonly drawingsOf: (concept: Concept) => readonly string[];
  readonly heldOut: HeldOutCombinations;
}

/** Sizes of a drawing in its square: a few, so that each is rendered once. */
const scales = [0.75, 0.85, 0.95];

/** Draws things so that no held-out combination comes about unless it is asked for. */
export class Composer {
  constructor(
    readonly stock: Stock,
    readonly random: RandomStream,
  ) {}

  /** A drawing of a concept; on any colour but the held-out one where none is given. */
  thing(concept: Concept, color?: ColorName): Thing {
    const { heldOut, drawingsOf } = this.stock;
    const usual = colorNames.filter((name) => name !== heldOut.colorOf(concept));
    return {
      concept,
      color: color ?? oneOf(usual, this.random),
      drawing: oneOf(drawingsOf(concept), this.random),
      scale: oneOf(scales, this.random),
      shift: [this.random.uniform(), this.random.uniform()],
    };
  }

  /** Any concept that fulfils a condition. */
  concept(isFit: (concept: Concept) => boolean = () => true): Concept {
    return oneOf(this.stock.concepts.filter(isFit), this.random);
  }

  /** A concept that forms a held-out pair with this one, or one that does not; never the excluded one. */
  companion(concept: Concept, isHeldOut: boolean, excluded?: Concept): Concept {
    const partners = this.stock.heldOut.partnersOf(concept);
    return this.concept(
      (other) => other !== concept && other !== excluded && partners.includes(other) === isHeldOut,
    );
  }

  /** [count] Different concepts beside those that are there, none of them in a held-out pair or excluded. */
  others(count: number, there: readonly Concept[], excluded: readonly Concept[] = []): readonly Concept[] {
    const all = [...there];
    for (let number = 0; number < count; number += 1) {
      all.push(
        this.concept(
          (other) =>
            !all.includes(other) &&
            !excluded.includes(other) &&
            !all.some((present) => this.stock.heldOut.partnersOf(present).includes(other)),
        ),
      );
    }
    return all.slice(there.length);
  }

  /** Four cells with these things in any of them. */
  scattered(things: readonly Thing[]): Cells {
    return this.random.shuffle([...things, ...Array<undefined>(4 - things.length).fill(undefined)]);
  }

  /** A number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + this.random.integer(most - least + 1);
  }
}

/** Whether cells show a held-out combination. */
export function hasHeldOut(cells: Cells, { colorOf, partnersOf }: HeldOutCombinations): boolean {
  const things = cells.filter((thing) => thing !== undefined);
  return things.some(
    ({ concept, color }) =>
      color === colorOf(concept) || things.some((other) => partnersOf(concept).includes(other.concept)),
  );
}
