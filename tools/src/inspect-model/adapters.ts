import type { AdapterFamilies } from '@dynaprompt/backbone';
import { CLIP_FAMILIES } from '@dynaprompt/clip';
import { DECODER_FAMILIES, ENCODER_FAMILIES, SEQ2SEQ_FAMILIES } from '@dynaprompt/text';
import { VISION_FAMILIES } from '@dynaprompt/vision';

/** Families that adapters take; a dual encoder's image tower can be opened alone, but its own adapter comes first. */
export const ADAPTERS: AdapterFamilies = {
  '@dynaprompt/text': [...ENCODER_FAMILIES, ...DECODER_FAMILIES, ...SEQ2SEQ_FAMILIES],
  '@dynaprompt/vision': VISION_FAMILIES,
  '@dynaprompt/clip': CLIP_FAMILIES,
};
