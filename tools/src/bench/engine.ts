import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import {
  floatsOf,
  openSession,
  type ExecutionProvider,
  type Session,
  type SessionOptions,
  type TensorValue,
} from '@dynaprompt/onnx-autodiff';
import { cosine, machine, measureInTurn, round, type Timing } from './measure.js';
import { feedsOf, prepareForward, prepareGradient, type Workload } from './engine-graphs.js';
import { startPeer, type Peer, type PeerFamily } from './peer.js';

export interface EngineOptions extends Workload {
  readonly rounds: number;
  readonly threads?: number;
  /** Runs the sessions in processes of their own; peak memory is then not known here. */
  readonly isolated?: boolean;
  /** What the sessions are to run on; the CPU takes over, with a warning, where it does not work. */
  readonly provider?: ExecutionProvider;
  /** Runs the same architecture in PyTorch, in fp32 and interleaved. The model has to be that family's export. */
  readonly peer?: PeerFamily;
}

type Feeds = Readonly<Record<string, TensorValue>>;

/**
 * Times forward alone and forward + loss + prompt gradient of one model, each in a session of its own, and with `peer` the
 * same work in PyTorch in the same rounds. `forward` is the model as it is, `forwardSelected` leaves out the rows that the
 * gradient's graph leaves out too. Peak memory is read after the gradient runs, before the forward sessions open. In int8, the
 * prompt gradient is compared with that of float32 on the same inputs.
 */
export async function benchEngine(options: EngineOptions): Promise<unknown> {
  const { batch, sequence, prompt } = options;
  const sessionOptions = sessionOptionsOf(options);
  const started = performance.now();
  const { graph, selectedForward, workload } = await prepareGradient(options);
  const built = performance.now();
  const gradientSession = await openSession(graph, sessionOptions);
  const ready = performance.now();
  const inputs = feedsOf(workload, batch, sequence, prompt);
  const labelled = { ...inputs.forward, ...inputs.gradient };
  for (let run = 0; run < 2; run++) await gradientSession.run(labelled);
  const { peakMegabytes } = machine();

  const gradientCosine =
    options.compute === 'int8' ? await cosineToFloat32(options, gradientSession, labelled) : undefined;
  const forward = await openSession(prepareForward(options), sessionOptions);
  const selected = await openSession(selectedForward, sessionOptions);
  const threads = sessionOptions.threads ?? 1;
  const peer =
    options.peer === undefined ? undefined : startPeer(options.peer, { batch, sequence, prompt }, threads);
  const ours = {
    forward: () => forward.run(inputs.forward),
    forwardSelected: () => selected.run(inputs.forward),
    forwardBackward: () => gradientSession.run(labelled),
  };
  const timings = await measure(ours, options.rounds, peer);
  const peerMegabytes = await peer?.memory();
  await peer?.close();
  for (const session of [gradientSession, forward, selected]) await session.release();
  return {
    benchmark: 'engine',
    model: options.model,
    megabytes: round(statSync(options.model).size / 1e6, 1),
    objective: options.objective,
    compute: options.compute,
    provider: { asked: options.provider ?? 'cpu', used: gradientSession.provider },
    shape: { batch, sequence, prompt, width: workload.width },
    milliseconds: timings,
    ratios: ratiosOf(timings),
    ...(gradientCosine === undefined ? {} : { gradientCosine }),
    startMilliseconds: { build: round(built - started), load: round(ready - built) },
    isolated: options.isolated ?? false,
    peakMegabytes: {
      ...(options.isolated === true ? {} : { ours: peakMegabytes }),
      ...(peerMegabytes === undefined ? {} : { torch: peerMegabytes }),
    },
    machine: machine(),
  };
}

/** How the sessions of a benchmark are opened. */
export function sessionOptionsOf({
  threads = availableParallelism(),
  provider = 'cpu',
  isolated = false,
}: Pick<EngineOptions, 'threads' | 'provider' | 'isolated'>): SessionOptions {
  return { threads, executionProviders: [provider], isolated };
}

/** Cosine of the prompt gradient in int8 to the one of the same graph in float32. */
async function cosineToFloat32(options: EngineOptions, session: Session, feeds: Feeds): Promise<number> {
  const { graph } = await prepareGradient({ ...options, compute: 'fp32' });
  const exact = await openSession(graph, sessionOptionsOf(options));
  const [own, expected] = [await session.run(feeds), await exact.run(feeds)];
  await exact.release();
  return round(cosine(floatsOf(own.gradient), floatsOf(expected.gradient)), 6);
}

type OwnTimings = Readonly<Record<'forward' | 'forwardSelected' | 'forwardBackward', Timing>>;
type Timings = OwnTimings & Partial<Readonly<Record<'torchForward' | 'torchForwardBackward', Timing>>>;

async function measure(
  ours: Readonly<Record<keyof OwnTimings, () => Promise<unknown>>>,
  rounds: number,
  peer: Peer | undefined,
): Promise<Timings> {
  if (!peer) return measureInTurn(ours, rounds);
  const torch = { torchForward: () => peer.run('forward'), torchForwardBackward: () => peer.run('step') };
  return measureInTurn({ ...ours, ...torch }, rounds);
}

/** Quotients of medians. PyTorch computes in fp32, whatever the engine does. */
export function ratiosOf(timings: Timings): Readonly<Record<string, number>> {
  const { forward, forwardSelected, forwardBackward, torchForward, torchForwardBackward } = timings;
  const ratio = (a: Timing, b: Timing): number => round(a.median / b.median);
  return {
    backward: ratio(forwardBackward, forward),
    backwardSelected: ratio(forwardBackward, forwardSelected),
    ...(torchForwardBackward && { toTorch: ratio(forwardBackward, torchForwardBackward) }),
    ...(torchForward && { forwardToTorch: ratio(forward, torchForward) }),
  };
}
