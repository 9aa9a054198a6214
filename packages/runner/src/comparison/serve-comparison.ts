import type { ComparisonOptions } from '../options/comparison.js';
import { serveTask } from '../process/serve-task.js';
import {
  type ComparisonDomain,
  type ComparisonMessage,
  type ComparisonOutcome,
  type ComparisonRequest,
  perform,
} from './perform.js';

/** Makes the comparison that the parent process asks for; called once by the worker module of an application. */
export function serveComparison<Example, Options extends ComparisonOptions>(
  domain: ComparisonDomain<Example, Options>,
): void {
  serveTask<ComparisonMessage, ComparisonOutcome>((request, { signal, tell }) =>
    perform(domain, request as ComparisonRequest<Options>, tell, signal),
  );
}
