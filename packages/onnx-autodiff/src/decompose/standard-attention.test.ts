import { DataType } from '../graph/types.js';
import { decomposed, describeDecompositions } from '../testing/decomposition-cases.js';
import { absent, flagsFed } from '../testing/gradient-cases.js';
import { standardAttentionDecompositions } from './standard-attention.js';

const { float32 } = DataType;
const opset = 23;
const flat = { query: ['B=2', 'S=3', 8], keys: ['B=2', 'T=4', 4], values: ['B=2', 'T=4', 6] };
const counts = { q_num_heads: 4, kv_num_heads: 2 };
const apart = { query: ['B=2', 4, 'S=3', 2], keys: ['B=2', 2, 'T=4', 2], values: ['B=2', 2, 'T=4', 3] };
const same = { query: ['B=2', 2, 'S=3', 2], keys: ['B=2', 2, 'S=3', 2], values: ['B=2', 2, 'S=3', 2] };

describeDecompositions('standard attention', standardAttentionDecompositions, {
  Attention: {
    'heads side by side': decomposed(flat, counts, { opset }),
    'heads in front': decomposed(apart, {}, { opset }),
    'heads in front, as many keys as queries': decomposed(same, {}, { opset }),
    'one token': decomposed(
      { query: ['B=1', 2, 'S=1', 2], keys: ['B=1', 2, 'S=1', 2], values: ['B=1', 2, 'S=1', 2] },
      {},
      { opset },
    ),
    'what came before': decomposed(same, { is_causal: 1 }, { opset }),
    'another scale': decomposed(flat, { ...counts, scale: { float: 0.3 } }, { opset }),
    'a soft cap': decomposed(flat, { ...counts, softcap: { float: 0.4 } }, { opset }),
    'a mask of numbers': decomposed({ ...flat, mask: ['S=3', 'T=4'] }, counts, { opset }),
    'a mask of numbers and a soft cap': decomposed(
      { ...flat, mask: ['B=2', 1, 'S=3', 'T=4'] },
      { ...counts, softcap: { float: 0.4 } },
      { opset },
    ),
    'a mask of truth values': decomposed(
      { ...flat, mask: flagsFed(['S=3', 'T=4'], 1, 0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1) },
      counts,
      { opset },
    ),
    'a past': decomposed(
      { ...same, mask: absent, pastKeys: ['B=2', 2, 'P=2', 2], pastValues: ['B=2', 2, 'P=2', 2] },
      {},
      { opset, outputs: [float32, float32, float32] },
    ),
    'a past and what came before': decomposed(
      { ...same, mask: absent, pastKeys: ['B=2', 2, 'P=2', 2], pastValues: ['B=2', 2, 'P=2', 2] },
      { is_causal: 1 },
      { opset, outputs: [float32, float32, float32] },
    ),
  },
});
