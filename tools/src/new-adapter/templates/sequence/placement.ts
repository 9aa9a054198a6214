import type { PromptPlacement } from '@dynaprompt/backbone';
import { placeless } from '../common/placeless.js';
import type { AdapterNameModel } from './model.js';

/** Prompts get their positions behind the embeddings, as the rows between which they stand do: nothing has to be added. */
export function placementOf({ hasPositions, file }: AdapterNameModel): PromptPlacement {
  if (hasPositions) return {};
  return {
    scores() {
      throw placeless(file);
    },
  };
}
