import { InvalidInputError, ProviderUnavailableError, RuntimeFailureError } from '../errors.js';
import { Emitter } from '../graph/emitter.js';
import { Graph } from '../graph/graph.js';
import { DataType } from '../graph/types.js';
import { InferenceSession, listSupportedBackends, RuntimeTensor } from './runtime.js';

/** What onnxruntime-node can compute on, by its own names. */
export const EXECUTION_PROVIDERS = ['cpu', 'cuda', 'webgpu', 'dml', 'coreml'] as const;
/** One of {@link EXECUTION_PROVIDERS}. */
export type ExecutionProvider = (typeof EXECUTION_PROVIDERS)[number];

/** Whether a provider computes in this process, or why it does not. */
export type ProviderStatus =
  { readonly available: true } | { readonly available: false; readonly reason: string };

/** Where a graph is to run. */
export interface ProviderOptions {
  /**
   * Providers in order of preference; the first that works takes the graph, and the CPU where none does. Default `['cpu']`.
   * Single operators that a provider lacks run on the CPU.
   */
  readonly executionProviders?: readonly ExecutionProvider[];
  /** What a provider that does not work leads to: a warning and the next one (default), or a ProviderUnavailableError. */
  readonly providerFallback?: 'warn' | 'error';
  /** Hears of each provider that is passed over; default: `process.emitWarning` with the code `DYNAPROMPT_PROVIDER_FALLBACK`. */
  readonly warn?: (message: string) => void;
}

/** Code of the process's warnings about providers. */
export const FALLBACK_CODE = 'DYNAPROMPT_PROVIDER_FALLBACK';

const probed = new Map<ExecutionProvider, Promise<ProviderStatus>>();

/**
 * Every provider with whether it works here, found by loading a small graph on it and running it; once in a process.
 * onnxruntime itself may write to the standard error meanwhile, such as which library it does not find.
 */
export async function availableExecutionProviders(): Promise<Record<ExecutionProvider, ProviderStatus>> {
  const statuses: [string, ProviderStatus][] = [];
  // One after the other: their libraries share the process's devices and memory.
  for (const provider of EXECUTION_PROVIDERS) statuses.push([provider, await probeProvider(provider)]);
  return Object.fromEntries(statuses) as Record<ExecutionProvider, ProviderStatus>;
}

/** Whether a provider works, from the first answer that it gave in this process. */
export function probeProvider(provider: ExecutionProvider): Promise<ProviderStatus> {
  const status = probed.get(provider) ?? tryProvider(provider);
  probed.set(provider, status);
  return status;
}

/**
 * Opens something on the first provider that works. Providers are given to onnxruntime one by one: from a list it drops those it
 * does not know, and goes on with the CPU.
 * @param subject the model, for messages.
 * @param open loads on one provider; a RuntimeFailureError counts as that provider not working, save on the CPU.
 * @throws InvalidInputError if a name is unknown or the list is empty.
 * @throws ProviderUnavailableError if a provider does not work and `providerFallback` is `error`.
 */
export async function openOnProvider<Opened>(
  subject: string,
  options: ProviderOptions,
  open: (provider: ExecutionProvider) => Promise<Opened>,
  probe: (provider: ExecutionProvider) => Promise<ProviderStatus> = probeProvider,
): Promise<{ readonly provider: ExecutionProvider; readonly opened: Opened }> {
  const wanted = preferredProviders(options.executionProviders ?? ['cpu']);
  for (const [index, provider] of wanted.entries()) {
    const status = await probe(provider);
    let problem: { readonly reason: string; readonly cause?: unknown };
    if (status.available) {
      try {
        return { provider, opened: await open(provider) };
      } catch (cause) {
        if (!(cause instanceof RuntimeFailureError)) throw cause;
        problem = { reason: cause.problem, cause };
      }
    } else problem = status;
    const { reason, cause } = problem;
    const failure = new ProviderUnavailableError({
      subject: `${subject}, execution provider ${provider}`,
      problem: reason,
      remedy: 'Install what it needs, or leave it out of `executionProviders`',
      ...(cause === undefined ? {} : { cause }),
    });
    if (options.providerFallback === 'error') throw failure;
    const next = wanted[index + 1] ?? 'cpu';
    (options.warn ?? warnProcess)(`${failure.message} ${next} is tried instead.`);
  }
  return { provider: 'cpu', opened: await open('cpu') };
}

/** The providers before the CPU, each once: what stands after it is never reached. */
function preferredProviders(names: readonly string[]): readonly ExecutionProvider[] {
  const isKnown = (name: string): name is ExecutionProvider =>
    (EXECUTION_PROVIDERS as readonly string[]).includes(name);
  const unknown = names.find((name) => !isKnown(name));
  if (names.length === 0 || unknown !== undefined) {
    throw new InvalidInputError({
      subject: 'option executionProviders',
      problem: unknown === undefined ? 'it names no provider' : `there is no provider ${unknown}`,
      remedy: `Name some of ${EXECUTION_PROVIDERS.join(', ')}`,
    });
  }
  const known = [...new Set(names.filter(isKnown))];
  const cpu = known.indexOf('cpu');
  return cpu < 0 ? known : known.slice(0, cpu);
}

function warnProcess(message: string): void {
  process.emitWarning(message, { code: FALLBACK_CODE });
}

async function tryProvider(provider: ExecutionProvider): Promise<ProviderStatus> {
  const built = listSupportedBackends().map(({ name }) => name);
  if (!built.includes(provider)) {
    const reason = `this build of onnxruntime does not hold it (${process.platform} ${process.arch}: ${built.join(', ')})`;
    return { available: false, reason };
  }
  try {
    await runSmallGraph(provider);
    return { available: true };
  } catch (error) {
    return { available: false, reason: firstLine(error) };
  }
}

/** y = x + x. */
async function runSmallGraph(provider: ExecutionProvider): Promise<void> {
  const graph = new Graph(
    {
      irVersion: 8,
      producer: 'dynaprompt',
      opsets: new Map([['', 17]]),
      graph: { name: 'probe', nodes: [], initializers: [], inputs: [], outputs: [] },
      functions: [],
    },
    'probe',
  );
  const emit = new Emitter(graph);
  const x = emit.input({ name: 'x', dataType: DataType.float32, dims: [1, 2] });
  emit.output('y', emit.add(x, x));
  const session = await InferenceSession.create(graph.serialize(), {
    executionProviders: [provider],
    logSeverityLevel: 4,
    // The provider has to take the graph itself; nothing else takes it where that is the CPU.
    ...(provider === 'cpu' ? {} : { extra: { session: { disable_cpu_ep_fallback: '1' } } }),
  });
  try {
    const { y } = await session.run({ x: new RuntimeTensor('float32', Float32Array.of(1, -3), [1, 2]) });
    const values = Array.from((y?.data ?? []) as Float32Array);
    if (values[0] !== 2 || values[1] !== -6)
      throw new Error(`[1, -3] doubled on it is [${values.join(', ')}]`);
  } finally {
    await session.release();
  }
}

/** Where onnxruntime reports a failed check, the message begins with a file and a function of its own sources. */
function firstLine(cause: unknown): string {
  const [line = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
  const told = / was false\. (.+)$/.exec(line)?.[1] ?? line;
  return told.replace(/[.\s]+$/, '');
}
