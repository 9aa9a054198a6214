import { readFileSync } from 'node:fs';
import {
  openSession,
  openSharedSessions,
  type ExecutionProvider,
  type Graph,
  type Session,
  type SessionOptions,
} from '@dynaprompt/onnx-autodiff';
import { sessionOptionsOf } from './engine.js';
import { feedsOf, prepareForward, prepareGradient, type Workload } from './engine-graphs.js';
import { round } from './measure.js';

/** A training session alone, an inference session opened besides, or both opened by `openSharedSessions`. */
export type SessionSet = 'training' | 'apart' | 'shared';

/** Sessions of one model that are open together in a process. */
export interface MemoryRequest extends Workload {
  readonly sessions: SessionSet;
  readonly prepack: boolean;
  readonly threads?: number;
  readonly provider?: ExecutionProvider;
}

/** Memory of a process, megabytes (10⁶ bytes). */
export interface MemoryUse {
  /** Resident pages, where a page that is mapped twice counts twice. */
  readonly rss: number;
  /** Resident pages, each divided among its mappings: what the process takes of the machine. */
  readonly pss: number;
  /** Resident pages that belong to no file. */
  readonly anonymous: number;
  /** The largest `rss` so far. */
  readonly peakRss: number;
}

/** Answer of {@link measureMemory}. */
export interface MemoryReport {
  /** What the sessions really ran on. */
  readonly provider: ExecutionProvider;
  readonly megabytes: MemoryUse;
}

/** Runs before memory is read: the first allocates, the second shows whether anything grows. */
const RUNS = 2;

/** Memory of this process after opening sessions of a model and running each twice. */
export async function measureMemory(request: MemoryRequest): Promise<MemoryReport> {
  const { graph, workload } = await prepareGradient(request);
  const { forward, gradient } = feedsOf(workload, request.batch, request.sequence, request.prompt);
  const options = { ...sessionOptionsOf(request), prepack: request.prepack };
  const opened = await openSet(request, graph, options);
  const feeds = { training: { ...forward, ...gradient }, inference: forward };
  for (let run = 0; run < RUNS; run++) {
    await opened.training.run(feeds.training);
    await opened.inference?.run(feeds.inference);
  }
  globalThis.gc?.();
  const megabytes = readMemory();
  await opened.training.release();
  await opened.inference?.release();
  return { provider: opened.training.provider, megabytes };
}

async function openSet(
  request: MemoryRequest,
  training: Graph,
  options: SessionOptions,
): Promise<{ readonly training: Session; readonly inference?: Session }> {
  if (request.sessions === 'shared')
    return openSharedSessions({ training, inference: prepareForward(request) }, options);
  const alone = await openSession(training, options);
  if (request.sessions === 'training') return { training: alone };
  return { training: alone, inference: await openSession(prepareForward(request), options) };
}

/**
 * Memory of this process as Linux counts it.
 * @throws Error on other systems.
 */
export function readMemory(): MemoryUse {
  let rollup: string;
  try {
    rollup = readFileSync('/proc/self/smaps_rollup', 'utf8');
  } catch (cause) {
    throw new Error('bench: memory is read from /proc/self/smaps_rollup, which only Linux has.', { cause });
  }
  const status = readFileSync('/proc/self/status', 'utf8');
  return {
    rss: entry(rollup, 'Rss'),
    pss: entry(rollup, 'Pss'),
    anonymous: entry(rollup, 'Anonymous'),
    peakRss: entry(status, 'VmHWM'),
  };
}

/** An entry of one of the kernel's tables, in megabytes. */
function entry(table: string, name: string): number {
  const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(table)?.[1];
  return round((Number(kibibytes) * 1024) / 1e6, 1);
}
