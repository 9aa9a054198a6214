import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { JumpableRandomGenerator } from 'pure-rand/types/JumpableRandomGenerator';
import { ConfigurationError, DataError } from '../errors.js';

/** Where a {@link RandomStream} stands: plain JSON, enough to continue the stream bit for bit. */
export interface RandomStreamState {
  /** Seed and names the stream was made from, the root of its substreams. */
  readonly key: string;
  /** Four 32-bit words of the xoroshiro128+ generator. */
  readonly words: readonly number[];
}

/** A seeded stream of random numbers. Equal seeds and names give equal numbers on every machine. */
export interface RandomStream {
  /** A number in [0, 1) with 53 random bits. */
  uniform(): number;
  /** An integer in 0..bound−1. Throws a {@link ConfigurationError} unless `bound` is a positive safe integer. */
  integer(bound: number): number;
  /** A draw from N(0, 1), by Box and Muller. */
  normal(): number;
  /** A draw from Gumbel(0, 1): −log(−log u). Mean 0.5772, variance π²/6. */
  gumbel(): number;
  /** [count] draws from Gumbel(0, 1). */
  gumbels(count: number): Float32Array;
  /** Fisher–Yates shuffle in place; returns its argument. */
  shuffle<Item>(items: Item[]): Item[];
  /** A stream of its own, independent of how many numbers this one has given. */
  substream(name: string): RandomStream;
  /** Where the stream stands now. */
  state(): RandomStreamState;
}

/**
 * A stream named `name` under `seed`; differently named streams are unrelated, so that drawing more from one never moves
 * another.
 *
 * @throws ConfigurationError when the seed is not a safe integer.
 */
export function stream(seed: number, name: string): RandomStream {
  if (!Number.isSafeInteger(seed)) {
    throw new ConfigurationError({
      packageName: '@dynaprompt/core',
      subject: 'seed',
      problem: `${seed} is not an integer`,
      remedy: 'Give an integer between −2^53 and 2^53',
    });
  }
  return fromKey(`${seed}/${name}`);
}

/**
 * Continues a stream from {@link RandomStream.state}.
 *
 * @throws DataError when the state is not that of a stream.
 */
export function restoreStream(state: RandomStreamState): RandomStream {
  const sound = state.words.length === 4 && state.words.every((word) => Number.isInteger(word));
  if (!sound || state.words.every((word) => word === 0)) {
    throw new DataError({
      packageName: '@dynaprompt/core',
      subject: `state of random stream '${state.key}'`,
      problem: `[${state.words.join(', ')}] is not a generator state`,
      remedy: 'Restore from an unmodified checkpoint',
    });
  }
  return new SeededStream(state.key, xoroshiro128plusFromState(state.words));
}

function fromKey(key: string): RandomStream {
  const bases = [0x9e3779b9, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f];
  const words: number[] = bases.map((basis) => hash(key, basis));
  if (!words.some((word) => word !== 0)) words[0] = 1;
  return new SeededStream(key, xoroshiro128plusFromState(words));
}

/** FNV-1a over UTF-16 code units, finished as in MurmurHash3. */
function hash(text: string, basis: number): number {
  let value = basis | 0;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 16777619);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}

class SeededStream implements RandomStream {
  readonly #key: string;
  readonly #generator: JumpableRandomGenerator;

  constructor(key: string, generator: JumpableRandomGenerator) {
    this.#key = key;
    this.#generator = generator;
  }

  uniform(): number {
    return uniformFloat64(this.#generator);
  }

  integer(bound: number): number {
    if (!Number.isSafeInteger(bound) || bound < 1) {
      throw new ConfigurationError({
        packageName: '@dynaprompt/core',
        subject: `random stream '${this.#key}'`,
        problem: `cannot draw an integer below ${bound}`,
        remedy: 'Give a positive integer as bound',
      });
    }
    return uniformInt(this.#generator, 0, bound - 1);
  }

  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(this.#positiveUniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  gumbel(): number {
    return -Math.log(-Math.log(this.#positiveUniform()));
  }

  gumbels(count: number): Float32Array {
    return new Float32Array(count).map(() => this.gumbel());
  }

  shuffle<Item>(items: Item[]): Item[] {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.integer(last + 1);
      [items[last], items[other]] = [items[other] as Item, items[last] as Item];
    }
    return items;
  }

  substream(name: string): RandomStream {
    return fromKey(`${this.#key}/${name}`);
  }

  state(): RandomStreamState {
    return { key: this.#key, words: [...this.#generator.getState()] };
  }

  /** In (0, 1): log of it is finite. */
  #positiveUniform(): number {
    let value = this.uniform();
    while (value === 0) value = this.uniform();
    return value;
  }
}
