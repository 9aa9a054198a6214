import { DynaPromptError, type BackboneStep } from '@dynaprompt/core';
import { at, distance, norm, sizeOfValues } from '../numbers.js';
import type { Subject } from '../subject.js';
import type { Check } from './check.js';

const GRADIENT = 'dL/dg is that of the one-hot g in E = Σ g_j C_j, where C_j is what candidate j assembles';

/** Where prompts stand, and what it is worth. */
export const position: Check = {
  title: 'moves its logits, and knows the gradient, with the place of a prompt',
  applies: ({ capabilities }) => capabilities.position,
  async run(subject) {
    await checkMoves(subject);
    await checkRepeated(subject);
    const { contentRows } = subject.options;
    if (contentRows) await checkSlopes(subject, contentRows);
  },
};

/** A model without places says so, or says that places are worth nothing. */
export const noPosition: Check = {
  title: 'promises no gradient of places that change nothing',
  applies: ({ capabilities }) => !capabilities.position,
  async run(subject) {
    try {
      const { plan } = await subject.step(subject.plan(), { position: true });
      const [first = 0, ...others] = plan.position ?? [];
      if (others.every((value) => Math.abs(value - first) < 1e-4)) return;
    } catch (failure) {
      if (failure instanceof DynaPromptError) return;
      throw failure;
    }
    const problem = 'it was declared to have no effect of position, and returns a gradient of it';
    throw subject.broken(
      'differentiate',
      problem,
      'where the place of a prompt changes nothing, its gradient is 0 or refused',
    );
  },
};

async function checkMoves<Example>(subject: Subject<Example>): Promise<void> {
  const { batch, slots } = subject;
  const placed = async (candidate: number): Promise<Float32Array> =>
    subject.predict(subject.plan({ choice: batch.examples.map(() => candidate) }));
  const [behind, front] = [await placed(0), await placed(slots)];
  const apart = distance(behind, front);
  if (apart > 10 * subject.tolerances.logits * sizeOfValues(front)) return;
  throw subject.broken(
    'predict',
    `logits move by ${apart.toPrecision(2)} when the prompt goes from behind the input to its front`,
    'where a prompt stands changes the logits; declare position: false where it cannot',
  );
}

/** Size of prompts' differences from the token that they pass, in parts of it. */
const NEARNESS = 0.1;
/** Tokens of an example that a prompt is moved past. */
const PASSED = 3;

/**
 * A prompt that is nearly a token is moved past that token: the change of the loss against the mean of its slopes at both ends of
 * E = (1 − t) C_j + t C_(j+1), which differ by the prompt's small difference from the token alone.
 */
async function checkSlopes<Example>(
  subject: Subject<Example>,
  contentRows: (example: Example) => Promise<Float32Array>,
): Promise<void> {
  const { backbone, batch, slots } = subject;
  let [square, error, rounding] = [0, 0, 0];
  for (const [index, example] of batch.examples.entries()) {
    const rows = await contentRows(example);
    const { width } = backbone;
    const content = rows.length / width;
    for (let token = 0; token < Math.min(content, PASSED); token++) {
      const row = rows.subarray(token * width, (token + 1) * width);
      const size = (NEARNESS * norm(row)) / Math.sqrt(width);
      const noise = subject.normals(`passing token ${token} of ${index}`, slots * width);
      const prompts = noise.map((value, place) => at(row, place % width) + size * value);
      const stepAt = (candidate: number): Promise<BackboneStep> =>
        backbone.differentiate(
          {
            examples: [example],
            labels: batch.labels.slice(index, index + 1),
            targets: batch.targets?.slice(index, index + 1),
          },
          {
            batch: 1,
            slots,
            width,
            prompts,
            position: { mode: 'insert', candidates: content + 1, choice: Int32Array.of(candidate) },
            gates: undefined,
          },
          subject.head,
          { position: true, gates: false },
        );
      const [before, behind] = [await stepAt(token), await stepAt(token + 1)];
      const slope = ({ plan: { position: gradient = new Float32Array() } }: BackboneStep): number =>
        at(gradient, token + 1) - at(gradient, token);
      const rise = behind.loss - before.loss;
      square += rise ** 2;
      error += (rise - (slope(before) + slope(behind)) / 2) ** 2;
      rounding += (1e-6 * (1 + before.loss)) ** 2;
    }
  }
  const allowed = 5 * subject.tolerances.gradients * Math.sqrt(square) + Math.sqrt(rounding);
  if (Math.sqrt(error) <= allowed) return;
  throw subject.broken(
    'gradient of position',
    `moving a prompt past a token changes the loss by ${Math.sqrt(square).toPrecision(3)} (norm), and its slopes miss that by ${Math.sqrt(error).toPrecision(3)} (allowed: ${allowed.toPrecision(2)})`,
    GRADIENT,
  );
}

/** With one token on, candidates 1 … l of a split are the same arrangement, and have the same gradient. */
async function checkRepeated<Example>(subject: Subject<Example>): Promise<void> {
  const { batch, slots, capabilities } = subject;
  if (!capabilities.gates) return;
  const gates = batch.examples.flatMap(() => Array.from({ length: slots }, (_, slot) => (slot < 1 ? 1 : 0)));
  const { plan } = await subject.step(subject.plan({ gates }), { position: true });
  const gradient = plan.position ?? new Float32Array();
  const allowed = 1e-4 * sizeOfValues(gradient);
  for (const example of batch.examples.keys()) {
    const own = gradient.slice(example * (slots + 1) + 1, (example + 1) * (slots + 1));
    const apart = Math.max(...own) - Math.min(...own);
    if (apart <= allowed) continue;
    throw subject.broken(
      'gradient of position',
      `candidates 1 … ${slots} put one active token to the same place, and their gradients are ${apart.toPrecision(3)} apart`,
      GRADIENT,
    );
  }
}
