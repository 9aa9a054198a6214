export { copyComputation, supplyInput } from './copy-computation.js';
export { emitDynamicPrompt, type EmittedPrompt } from './dynamic-prompt.js';
export { emitPositions, emitSegments, type Segment } from './segments.js';
export { emitSourceTable, type SourceTable, type SourceTableInputs } from './source-table.js';
export { checkExportable, promptOfTask, type TunedPrompt } from './tuned-prompt.js';
export { writeFolder } from './write-folder.js';
export { writeModelFiles, type WeightPlacement } from './write-model-files.js';
