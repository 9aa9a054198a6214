import { parseConfiguration } from '@dynaprompt/core';

import { openScreen } from '../display/screen.js';
import { dryRun } from '../dry-run/dry-run.js';
import type { ComparisonOptions, OutputOptions } from '../options/comparison.js';
import { claimOutput, type OutputClaim } from '../output/claim-output.js';
import type { RankChannel } from '../parallel/channel.js';
import { exchangeOver } from '../parallel/exchange.js';
import { ownChannel } from '../parallel/rank-process.js';
import { runRanks } from '../parallel/run-ranks.js';
import { shareCheckpoints } from '../parallel/share-checkpoints.js';
import { ComparisonStoppedError } from '../process/stopped.js';
import { compare, type ComparisonListener } from './comparison.js';
import { methodOf } from './methods.js';
import { type ComparisonDomain, type ComparisonRequest, perform } from './perform.js';
import type { RunMeans } from './runs.js';
import { outcomeText } from './show-outcome.js';
import { checkpointsOf, superviseComparison } from './supervise-comparison.js';

/**
 * Compares, shows how it goes, and writes the results. People read on stdout; where that is for programs, people read on stderr.
 * Results are written at the very end; a comparison that is stopped or fails leaves its checkpoints and nothing else.
 *
 * @param worker module that calls `serveComparison` with the same domain: the runs take place in a process of their own. Absent:
 * in this one.
 * @throws ComparisonStoppedError where the signal ended it and there is something to go on from.
 * @throws TaskCrashedError where the process of the runs ended by itself.
 */
export async function runComparison<Example, Options extends ComparisonOptions>(
  domain: ComparisonDomain<Example, Options>,
  options: Options,
  output: OutputOptions,
  signal: AbortSignal,
  worker?: URL,
): Promise<void> {
  for (const name of options.methods) requireMethod(name, options);
  if (output.dryRun === true) {
    await dryRun(domain, options, output, signal);
    return;
  }
  const channel = ownChannel();
  if (output.parallel !== undefined && channel === undefined) {
    process.exitCode = await runRanks(output.parallel, signal);
    return;
  }
  // Round 0 is for the checkpoints.
  const exchange = channel && exchangeOver(channel, 1, signal);
  const means: RunMeans = exchange === undefined ? {} : { exchange, stopping: exchange.stopping };
  if (channel !== undefined && channel.rank > 0) {
    await follow(domain, options, signal, channel, means);
    return;
  }
  const claim = await claimOutput(domain.application.name, output);
  const screen = openScreen(output, signal);
  try {
    const checkpoints = checkpointsOf(claim.checkpoints, output);
    if (channel !== undefined) await shareCheckpoints(channel, 0, checkpoints);
    const request: ComparisonRequest<Options> = { options, output: output.output, checkpoints };
    const outcome =
      worker === undefined || output.inProcess === true || exchange !== undefined
        ? await perform(domain, request, screen.told, signal, means)
        : await superviseComparison(worker, request, claim, screen, signal);
    await claim.removeCheckpoints();
    screen.finish(outcome, outcomeText(outcome));
  } catch (error) {
    const isStopped = signal.aborted || means.stopping?.aborted === true;
    throw screen.fail(isStopped ? await betterError(error, claim) : error);
  } finally {
    screen.end();
    await claim.release();
  }
}

/** Trains with rank 0, which shows and writes what all ranks have in common, and leaves nothing behind. */
async function follow<Example, Options extends ComparisonOptions>(
  domain: ComparisonDomain<Example, Options>,
  options: Options,
  signal: AbortSignal,
  channel: RankChannel,
  means: RunMeans,
): Promise<void> {
  const { plan, close } = await shareCheckpoints(channel, 0);
  try {
    await compare(domain, options, silent, signal, { ...means, checkpoints: plan });
  } finally {
    await close();
  }
}

/** @throws ConfigurationError where there is no such method, or its prompt cannot be configured like that. */
function requireMethod(name: string, options: ComparisonOptions): void {
  const method = methodOf(name, options);
  if (typeof method === 'object') parseConfiguration(method.configuration);
}

/** A run that was stopped says what to do to go on. */
async function betterError(error: unknown, claim: OutputClaim): Promise<unknown> {
  if (!(await claim.hasCheckpoints())) return error;
  return new ComparisonStoppedError(claim.checkpoints, error);
}

const silent: ComparisonListener = {
  opened: () => undefined,
  event: () => undefined,
  trained: () => undefined,
};
