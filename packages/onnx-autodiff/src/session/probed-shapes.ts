import type { Graph } from '../graph/graph.js';
import { staticShape, type ProbedExtents, type StaticShape } from './probe.js';

/** What probing found out about the shapes of a graph's tensors, and what follows for a graph that is then changed. */
export class ProbedShapes {
  readonly #probed: Map<string, ProbedExtents>;

  constructor(
    private readonly graph: Graph,
    probed: ReadonlyMap<string, ProbedExtents>,
  ) {
    this.#probed = new Map(probed);
  }

  /** Undefined for a tensor that was never probed. */
  known(tensor: string): StaticShape | undefined {
    const extents = this.extents(tensor);
    return extents && staticShape(extents);
  }

  /** Static extents of a tensor on the way of the gradient; null where they vary. */
  dims(tensor: string): StaticShape {
    const shape = this.known(tensor);
    if (!shape) throw new Error(`internal: the shape of ${tensor} was not probed`);
    return shape;
  }

  /** Number of axes of a tensor on the way of the gradient. */
  rank(tensor: string): number {
    return this.dims(tensor).length;
  }

  /** Whether two axes had the same extent in both runs, and so have it always. */
  agree(one: string, axis: number, other: string, otherAxis: number): boolean {
    const [extents, others] = [this.extents(one), this.extents(other)];
    if (!extents || !others) return false;
    return ([0, 1] as const).every(
      (run) => extents[run][axis] !== undefined && extents[run][axis] === others[run][otherAxis],
    );
  }

  /** Says what shape a new tensor has. */
  assign(tensor: string, extents: ProbedExtents): void {
    this.#probed.set(tensor, extents);
  }

  /** Says that `tensor` has the shape of `like` with one element along an axis. */
  narrow(tensor: string, like: string, axis: number): void {
    const extents = this.extents(like);
    if (!extents) return;
    const cut = (run: readonly number[]): number[] => run.map((extent, at) => (at === axis ? 1 : extent));
    this.#probed.set(tensor, [cut(extents[0]), cut(extents[1])]);
  }

  /** As they were in the two runs; undefined for a tensor that was never probed. */
  extents(tensor: string): ProbedExtents | undefined {
    const dims = this.graph.initializers.get(tensor)?.dims;
    return dims ? [dims, dims] : this.#probed.get(tensor);
  }
}
