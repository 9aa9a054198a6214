import { InvalidArgumentError } from 'commander';

import type { TaskSampling, WarmUp } from '@dynaprompt/training';

/** A whole number of 1 or more. */
export function parseCount(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('Give a whole number of 1 or more.');
}

/** A whole number of 0 or more. */
export function parseIndex(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('Give a whole number of 0 or more.');
}

/** A number above 0. */
export function parseRate(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('Give a number above 0, such as 0.01.');
}

/** A number of 0 or more. */
export function parseDecay(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError('Give a number of 0 or more, such as 0.01.');
}

/** A share of the steps below 1, or a whole number of steps. */
export function parseWarmUp(text: string): WarmUp {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value < 1) return value;
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return { steps: value };
  throw new InvalidArgumentError('Give a share of the steps below 1, such as 0.05, or a number of steps.');
}

/** A number above 0, or `none`. */
export function parseClipNorm(text: string): number | false {
  return text === 'none' ? false : parseRate(text);
}

/** `proportional`, `equal`, or a temperature. */
export function parseSampling(text: string): TaskSampling {
  if (text === 'proportional' || text === 'equal') return { kind: text };
  const temperature = Number(text);
  if (text.trim() !== '' && Number.isFinite(temperature) && temperature > 0) {
    return { kind: 'temperature', temperature };
  }
  throw new InvalidArgumentError('Give proportional, equal, or a temperature above 0, such as 2.');
}

/** Whole numbers with commas between them, none twice. */
export function parseSeeds(text: string): readonly number[] {
  return parseList(text).map((item) => {
    const value = Number(item);
    if (/^\d+$/.test(item) && Number.isSafeInteger(value)) return value;
    throw new InvalidArgumentError(`"${item}" is not a whole number of 0 or more; give seeds such as 1,2,3.`);
  });
}

/** Names with commas between them, none twice. */
export function parseList(text: string): readonly string[] {
  const items = text.split(',').map((item) => item.trim());
  if (items.includes('')) throw new InvalidArgumentError('Separate names by single commas.');
  const twice = items.find((item, index) => items.indexOf(item) < index);
  if (twice !== undefined) throw new InvalidArgumentError(`"${twice}" is named twice.`);
  return items;
}
