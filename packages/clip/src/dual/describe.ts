import { countParameters, fingerprint } from '@dynaprompt/backbone';
import type { BackboneDescription } from '@dynaprompt/core';
import type { DualParts } from './dual-parts.js';

/** What a dual encoder says about itself. */
export function describe(
  { name, commit, text, vision, options }: DualParts,
  family: string,
): BackboneDescription {
  const { dtype = 'fp32', compute, prompts = 'text', reserve } = options;
  const [inText, inVision] = [prompts !== 'vision', prompts !== 'text'];
  const coupled = inText && inVision && options.coupling !== 'independent' ? (options.layers ?? 1) : Infinity;
  return {
    name,
    family,
    revision: fingerprint(...new Set([text.file, vision.file])),
    ...(commit === undefined ? {} : { commit }),
    dtype: compute === 'int8' ? (dtype === 'fp32' ? 'int8' : `${dtype}, products in int8`) : dtype,
    parameters: countParameters(text.graph) + countParameters(vision.graph),
    maximumTokens: inText ? text.maximumTokens : vision.patches.special + vision.content + reserve,
    layers: Math.min(
      coupled,
      inText ? text.layers.length : Infinity,
      inVision ? vision.layers.length : Infinity,
    ),
  };
}
