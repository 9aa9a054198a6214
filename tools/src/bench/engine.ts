import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { openSession, type Session, type TensorValue } from '@dynaprompt/onnx-autodiff';
import { machine, measureInTurn, round } from './measure.js';
import { feedsOf, prepareForward, prepareGradient, type Workload } from './engine-graphs.js';
import { startPeer, type Peer, type PeerFamily } from './peer.js';

export interface EngineOptions extends Workload {
  readonly rounds: number;
  readonly threads?: number;
  /** Runs the same architecture in PyTorch, interleaved. The model has to be that family's export. */
  readonly peer?: PeerFamily;
}

/**
 * Times forward alone and forward + loss + prompt gradient of one model, each in a session of its own, and with `peer` the
 * same work in PyTorch in the same rounds. Peak memory is read after the gradient runs, before the forward session opens.
 */
export async function benchEngine(options: EngineOptions): Promise<unknown> {
  const { batch, sequence, prompt } = options;
  const threads = options.threads ?? availableParallelism();
  const started = performance.now();
  const { graph, workload } = await prepareGradient(options);
  const built = performance.now();
  const gradientSession = await openSession(graph, { threads });
  const ready = performance.now();
  const inputs = feedsOf(workload, batch, sequence, prompt);
  const labelled = { ...inputs.forward, ...inputs.gradient };
  for (let run = 0; run < 2; run++) await gradientSession.run(labelled);
  const { peakMegabytes } = machine();

  const forward = await openSession(prepareForward(options), { threads });
  const peer =
    options.peer === undefined ? undefined : startPeer(options.peer, { batch, sequence, prompt }, threads);
  const timings = await measure(options, forward, gradientSession, inputs.forward, labelled, peer);
  const peerMegabytes = await peer?.memory();
  await peer?.close();
  const { forward: ours, forwardBackward, torchForward, torchForwardBackward } = timings;
  return {
    benchmark: 'engine',
    model: options.model,
    megabytes: round(statSync(options.model).size / 1e6, 1),
    objective: options.objective,
    shape: { batch, sequence, prompt, width: workload.width },
    milliseconds: timings,
    ratios: {
      backward: round(forwardBackward.median / ours.median),
      ...(torchForwardBackward && { toTorch: round(forwardBackward.median / torchForwardBackward.median) }),
      ...(torchForward && { forwardToTorch: round(ours.median / torchForward.median) }),
    },
    startMilliseconds: { build: round(built - started), load: round(ready - built) },
    peakMegabytes: { ours: peakMegabytes, ...(peerMegabytes === undefined ? {} : { torch: peerMegabytes }) },
    machine: machine(),
  };
}

type Timings = Awaited<ReturnType<typeof measureInTurn<'forward' | 'forwardBackward'>>> &
  Partial<Awaited<ReturnType<typeof measureInTurn<'torchForward' | 'torchForwardBackward'>>>>;

async function measure(
  { rounds }: EngineOptions,
  forward: Session,
  gradient: Session,
  feeds: Readonly<Record<string, TensorValue>>,
  labelled: Readonly<Record<string, TensorValue>>,
  peer: Peer | undefined,
): Promise<Timings> {
  const ours = { forward: () => forward.run(feeds), forwardBackward: () => gradient.run(labelled) };
  if (!peer) return measureInTurn(ours, rounds);
  const torch = { torchForward: () => peer.run('forward'), torchForwardBackward: () => peer.run('step') };
  return measureInTurn({ ...ours, ...torch }, rounds);
}
