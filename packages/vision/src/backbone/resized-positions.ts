import { DataType, Emitter, float32, floatsOf, openSession } from '@dynaprompt/onnx-autodiff';
import type { Size } from '../images/preprocessor-config.js';
import { INPUT } from './names.js';
import type { VisionModel } from './vision-model.js';

/** Of the weight that takes the place of a resized table. */
const RESIZED = 'position_embeddings.resized';

/**
 * Puts a constant where a model resizes its position embeddings to the picture (DINOv2): pictures have one size, so it would make
 * the same of them in every step, by an operator that fine-tuning cannot go through.
 * @param model whose graph is changed.
 */
export async function fixPositions(model: VisionModel, { height, width }: Size): Promise<VisionModel> {
  const { graph, patches } = model;
  const { positions } = patches;
  const behind = positions === undefined ? [] : graph.sortedNodes([positions]);
  const isResized = behind.some(({ inputs }) => inputs.includes(INPUT.pixels));
  if (positions === undefined || !isResized) return model;
  const resizing = graph.clone();
  resizing.outputs.clear();
  new Emitter(resizing).output(RESIZED, positions);
  resizing.prune();
  const session = await openSession(resizing, { threads: 1, prepack: false });
  try {
    const blank = float32(new Float32Array(3 * height * width), [1, 3, height, width]);
    const { [RESIZED]: table } = await session.run({ [INPUT.pixels]: blank });
    const bytes = new Uint8Array(floatsOf(table).slice().buffer);
    graph.initializers.set(RESIZED, {
      name: RESIZED,
      dims: table?.dims ?? [],
      dataType: DataType.float32,
      data: { kind: 'bytes', bytes },
    });
    graph.replaceUses(positions, RESIZED);
    graph.prune();
    return { ...model, patches: { ...patches, positions: RESIZED } };
  } finally {
    await session.release();
  }
}
