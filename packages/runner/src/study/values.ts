import { InvalidArgumentError } from 'commander';

import { parseList, parseRate } from '../options/values.js';
import type { RatePair, RateSetting } from './rates.js';

/** Rates with commas between them. */
export function parseRates(text: string): readonly number[] {
  return parseList(text).map(parseRate);
}

/** Rates with commas between them, each alone or as `RATE:HEAD` with that of the head. */
export function parseRateSettings(text: string): readonly RateSetting[] {
  return parseList(text).map((item) => {
    const [rate = '', head, ...more] = item.split(':');
    if (more.length > 0) throw new InvalidArgumentError('Give RATE or RATE:HEAD, such as 0.005:0.1.');
    return head === undefined ? parseRate(rate) : { rate: parseRate(rate), head: parseRate(head) };
  });
}

/** `PROMPT:RATIO` or `PROMPT:RATIO:HEAD` with commas between them. */
export function parseRatePairs(text: string): readonly RatePair[] {
  return parseList(text).map((item) => {
    const [prompt = '', ratio = '', head, ...more] = item.split(':');
    if (more.length > 0)
      throw new InvalidArgumentError('Give PROMPT:RATIO or PROMPT:RATIO:HEAD, such as 0.005:0.1.');
    const pair = { prompt: parseRate(prompt), ratio: parseRate(ratio) };
    return head === undefined ? pair : { ...pair, head: parseRate(head) };
  });
}

/** Numbers of 0 or more with commas between them. */
export function parsePenalties(text: string): readonly number[] {
  return parseList(text).map((item) => {
    const value = Number(item);
    if (Number.isFinite(value) && value >= 0) return value;
    throw new InvalidArgumentError('Give penalties of 0 or more, such as 0,0.001,0.01.');
  });
}

/** A share below 1, or a whole number. */
export function parseHoldout(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && (value < 1 || Number.isSafeInteger(value))) return value;
  throw new InvalidArgumentError('Give a share below 1, such as 0.2, or a number of examples.');
}

/** `TASK=FOLDER` with commas between them. */
export function parseFolders(text: string): Readonly<Record<string, string>> {
  const pairs = parseList(text).map((item): readonly [string, string] => {
    const [, task, folder] = /^([^=]+)=(.+)$/.exec(item) ?? [];
    if (task !== undefined && folder !== undefined) return [task, folder];
    throw new InvalidArgumentError('Give TASK=FOLDER, such as sst2=SST-2.');
  });
  return Object.fromEntries(pairs);
}
