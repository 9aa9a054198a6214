import { bundledModels } from '@dynaprompt/mini-models';

/** Models that ship with this application. */
export const bundled = Object.values(bundledModels);
