import { named, type Files } from './render.js';
import type { SubjectModel } from './subject-model.js';
import type { Behaviour } from './measure.js';

/** The README of an adapter. */
export function readmeFile(
  name: string,
  { inspection, entry, canFineTune }: SubjectModel,
  { isCausal, hasPositions }: Behaviour,
  { folder, examples }: { readonly folder: string; readonly examples: readonly [string, string] },
): Files {
  const { family, hidden, layers } = inspection;
  const pooled = isCausal ? 'last row' : 'mean of the rows';
  const text = `
# @dynaprompt/adapter-name

Opens models of the family \`${family ?? name}\` as a \`FrozenBackbone\` of \`@dynaprompt/core\`: prompts stand among their
${entry.kind}, and get exact gradients, computed inside onnxruntime.

\`\`\`sh
npm install @dynaprompt/adapter-name @dynaprompt/core
\`\`\`

\`\`\`js
import { createDynamicPrompt, preset, selectBackend } from '@dynaprompt/core';
import { openAdapterName } from '@dynaprompt/adapter-name';

await selectBackend();
const backbone = await openAdapterName('${folder}', { reserve: 4, head: { kind: 'linear', classes: 2 } });
const examples = [${examples.join(', ')}];
const rows = (count, offset) => backbone.promptRows(count, offset);
const prompt = await createDynamicPrompt(preset('fixed', { slots: 4 }), { width: backbone.width, seed: 1, rows });
const { plan } = prompt.plan(await backbone.features(examples), 2, { training: false });
const batch = { examples, labels: Int32Array.of(0, 1) };
const step = await backbone.differentiate(batch, plan, backbone.initialHead(1), { position: false, gates: false });
console.log(step.loss, step.plan.prompts, backbone.width); // dL/dprompts [B, l, d]
await backbone.release();
\`\`\`

\`@dynaprompt/training\` runs the loop. A folder holds \`config.json\` and the ONNX file; a Hugging Face id will do too.

## The model that it was made for

| | |
| --- | --- |
| prompts stand among | \`${entry.tensor}\` [B, rows, ${entry.width}], from the input \`${entry.input}\` |
| the head reads | the ${pooled} of \`${hidden ?? ''}\` |
| layers that take prompts | ${layers.length} |
| the place of a prompt | ${hasPositions ? 'can be learned' : 'changes nothing: rows have no positions'} |
| the length of a prompt | ${isCausal ? 'cannot be learned: rows see those in front of them only' : 'can be learned'} |
| its own weights | ${canFineTune ? 'can be fine-tuned' : 'cannot be fine-tuned'} |

## Errors

\`ModelError\` names the folder or file, \`DataError\` the example or field of the plan, \`ConfigurationError\` the option.
`;
  return new Map([['README.md', named(text, name)]]);
}
