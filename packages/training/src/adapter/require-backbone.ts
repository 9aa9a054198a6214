import { ConfigurationError, type FrozenBackbone, ModelError, restoreParameters } from '@dynaprompt/core';

import { packageName } from '../package-name.js';
import { type Adapter, type AdapterBackbone, backboneOf } from './adapter.js';

/** What an adapter is to be used with. */
export type AdapterHost = Pick<FrozenBackbone<unknown>, 'description' | 'width' | 'classes' | 'initialHead'>;

/** How closely a backbone has to be the one that an adapter was trained on. */
export interface BackboneCheck {
  /**
   * Take any revision and element type of a model of the same family and width, e.g. a quantised export of the one that was
   * trained on; logits differ then.
   */
  readonly anyRevision?: boolean | undefined;
}

/**
 * Makes sure that an adapter belongs to a backbone.
 *
 * @throws ModelError when family, width, layers, revision or element type is another.
 * @throws ConfigurationError when the backbone was opened with another number of classes.
 * @throws DataError when the head's tensors are not those that the backbone's head has.
 */
export function requireBackbone(
  adapter: Pick<Adapter, 'backbone' | 'head' | 'parameters' | 'seed'>,
  backbone: AdapterHost,
  { anyRevision = false }: BackboneCheck = {},
): void {
  const [trained, here] = [adapter.backbone, backboneOf(backbone)];
  const open = `Open the backbone that the adapter was trained on, ${trained.name}`;
  refuseOther(trained, here, ['family', 'width', 'layers'], open);
  if (!anyRevision) {
    const remedy = `${open} revision ${trained.revision} as ${trained.dtype}, or pass anyRevision: true; logits differ then`;
    refuseOther(trained, here, ['revision', 'dtype'], remedy);
  }
  const { classes } = adapter.head;
  if (classes !== backbone.classes) {
    throw new ConfigurationError({
      packageName,
      subject: `backbone ${here.name}`,
      problem: `it was opened with ${backbone.classes} classes, the adapter has ${classes}`,
      remedy: `Open it with the adapter's ${adapter.head.kind} head of ${classes} classes`,
    });
  }
  restoreParameters(backbone.initialHead(adapter.seed), adapter.parameters.head);
}

function refuseOther(
  trained: AdapterBackbone,
  here: AdapterBackbone,
  names: readonly Exclude<keyof AdapterBackbone, 'commit'>[],
  remedy: string,
): void {
  for (const name of names) {
    if (trained[name] === here[name]) continue;
    const problem = `its ${name} is ${here[name]}, the adapter was trained on ${trained[name]}`;
    throw new ModelError({ packageName, subject: `backbone ${here.name}`, problem, remedy });
  }
}
