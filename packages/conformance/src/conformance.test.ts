import * as training from '@dynaprompt/training';
import { afterAll, describe, expect, it } from '@jest/globals';
import { conformance } from './conformance.js';
import { contentRows, EXAMPLES, LABELS, openTokens } from './testing/token-backbone.js';

const runner = { describe, it, afterAll, expect };
const given = { examples: EXAMPLES, labels: LABELS };

conformance(
  { ...given, name: 'a small BERT', open: openTokens, training, contentRows: contentRows('small') },
  runner,
);
conformance({ ...given, name: 'mini-bert', open: () => openTokens({ file: 'mini-bert' }) }, runner);
conformance(
  {
    ...given,
    name: 'a backbone with shallow prompts',
    open: () => openTokens({ isShallow: true }),
    slots: 2,
    capabilities: { layers: 1, fineTuning: false },
  },
  { describe, it },
);
