import { readConfigFile } from '@dynaprompt/backbone';
import { ModelError, nullThrows } from '@dynaprompt/core';
import { z } from 'zod';
import { PACKAGE_NAME } from '../package-name.js';
import { FAMILIES, VISION_FAMILIES, WINDOWED, type Family } from './families.js';

/** What config.json has to say about a vision model; its extents are read from the ONNX file. */
export interface VisionConfig extends Family {
  /** `model_type`, e.g. `vit`. */
  readonly name: string;
  /** Names of the classes of the model's own classifier by index; empty where it has none. */
  readonly classNames: readonly string[];
}

const schema = z.object({
  model_type: z.string(),
  id2label: z.record(z.string(), z.string()).nullish(),
});

/**
 * Reads config.json.
 * @throws ModelError if the file is no JSON, lacks a field, or is of a family that is not supported.
 */
export function readVisionConfig(file: string): VisionConfig {
  const { model_type: name, id2label } = readConfigFile(file, schema);
  if (!Object.hasOwn(FAMILIES, name)) {
    throw new ModelError({
      packageName: PACKAGE_NAME,
      subject: file,
      problem: WINDOWED.has(name)
        ? `models of the family '${name}' attend within windows of the image, so a prompt is not seen by all patches`
        : `models of the family '${name}' are not supported`,
      remedy: `Use a backbone of the families ${VISION_FAMILIES.join(', ')}`,
    });
  }
  const family = nullThrows(FAMILIES[name], 'the family is known');
  return { ...family, name, classNames: classNames(file, id2label ?? {}) };
}

/** @throws ModelError if the indices are not 0, 1, 2 … */
function classNames(file: string, labels: Readonly<Record<string, string>>): readonly string[] {
  const count = Object.keys(labels).length;
  return Array.from({ length: count }, (_, index) => {
    const label = labels[index];
    if (label !== undefined) return label;
    throw new ModelError({
      packageName: PACKAGE_NAME,
      subject: `${file}, id2label`,
      problem: `it has ${count} classes and none of them is number ${index}`,
      remedy: 'Use the file of the published model',
    });
  });
}
