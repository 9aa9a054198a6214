import { timed } from '@dynaprompt/core';
import {
  openSession,
  openSharedSessions,
  type Graph,
  type Session,
  type SessionOptions,
  type TensorValue,
} from '@dynaprompt/onnx-autodiff';
import type { SessionCache } from './session-cache.js';

type Values = Readonly<Record<string, TensorValue>>;
type MakeGraph = () => Graph | Promise<Graph>;

/** Bytes of weights from which on graphs are loaded together; below, copies weigh less than onnxruntime itself. */
const LARGE = 2 ** 25;

/**
 * Graphs of one model, loaded when they are first run. In this process those of a large model are loaded together, so that weights
 * and working memory are there once, for inference, training and whatever variants: at each new graph the ones before are
 * released, and all are loaded anew. Graphs of a small model, on another provider, or in processes of their own, have sessions of
 * their own: n of them take n loads in place of n (n + 1) / 2.
 */
export class ModelSessions {
  /** What is loaded together, by purpose. */
  readonly #graphs = new Map<string, Graph>();
  /** Sessions of all {@link #graphs}; undefined while they are not loaded. */
  #joint: Readonly<Record<string, Session>> | undefined;
  /** Sessions of small graphs, by purpose. */
  readonly #small = new Map<string, Session>();
  /** Purposes whose graphs onnxruntime does not take together with the others. */
  readonly #apart = new Set<string>();
  readonly #isShared: boolean;
  /** The call before: nothing is released under a run. onnxruntime computes one after the other in any case. */
  #tail: Promise<unknown> = Promise.resolve();

  /**
   * @param sessions of those that are not shared; released before this.
   * @param large bytes of weights from which on a model is large.
   */
  constructor(
    private readonly sessions: SessionCache,
    private readonly options: SessionOptions,
    private readonly large = LARGE,
  ) {
    const { isolated = false, executionProviders: [provider] = ['cpu'] } = options;
    this.#isShared = isolated === false && provider === 'cpu';
  }

  /**
   * Runs the graph of a purpose. One that could not be made or loaded is tried again at the next run; others work on.
   * @param make makes the graph at its first run.
   * @throws ModelError after `release`, whatever `make` throws, and errors of onnx-autodiff.
   */
  run(purpose: string, make: MakeGraph, feeds: Values): Promise<Record<string, TensorValue>> {
    if (!this.#isShared) return this.#runApart(purpose, make, feeds);
    return this.#next(async () => {
      const session = await this.sessions.whileOpen(() => this.#load(purpose, make));
      if (session === undefined) return this.#runApart(purpose, make, feeds);
      return timed('session', () => session.run(feeds));
    });
  }

  /** Frees what is shared; a second call does nothing. */
  release(): Promise<void> {
    return this.#next(async () => {
      this.#graphs.clear();
      await this.#unload();
      const small = [...this.#small.values()];
      this.#small.clear();
      for (const session of small) await session.release();
    });
  }

  async #runApart(purpose: string, make: MakeGraph, feeds: Values): Promise<Record<string, TensorValue>> {
    const session = await this.sessions.get(purpose, async () => openSession(await make(), this.options));
    return timed('session', () => session.run(feeds));
  }

  /** Undefined where the graph has to be loaded apart. */
  async #load(purpose: string, make: MakeGraph): Promise<Session | undefined> {
    if (this.#apart.has(purpose)) return undefined;
    const small = this.#small.get(purpose);
    if (small) return small;
    const known = this.#graphs.get(purpose);
    if (known === undefined || this.#joint === undefined) {
      // A graph that cannot be made leaves the others loaded.
      const graph = known ?? (await make());
      if (weightBytes(graph) < this.large) {
        const session = await openSession(graph, this.options);
        this.#small.set(purpose, session);
        return session;
      }
      const graphs = new Map(this.#graphs).set(purpose, graph);
      await this.#unload();
      try {
        this.#joint = await openSharedSessions(Object.fromEntries(graphs), this.options);
      } catch (failure) {
        if (known !== undefined || graphs.size === 1) throw failure;
        this.#apart.add(purpose);
        return undefined;
      }
      for (const [name, graph] of graphs) this.#graphs.set(name, graph);
    }
    return this.#joint[purpose];
  }

  async #unload(): Promise<void> {
    const sessions = Object.values(this.#joint ?? {});
    this.#joint = undefined;
    for (const session of sessions) await session.release();
  }

  /** One call after the other, whatever becomes of the one before. */
  #next<T>(call: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(call);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}

/** Bytes that a graph has in the model's files. */
function weightBytes(graph: Graph): number {
  return [...graph.initializers.values()].reduce(
    (sum, { data }) => sum + (data.kind === 'file' ? data.length : 0),
    0,
  );
}
