import { decomposed, describeDecompositions } from '../testing/decomposition-cases.js';
import { between, exactly } from '../testing/gradient-cases.js';
import { activationDecompositions } from './activation.js';

const both = between(-3, 3, 'B=2', 5);
const single = { precision: 'single' } as const;

describeDecompositions('activations', activationDecompositions, {
  'com.microsoft.BiasGelu': { 'a bias': decomposed({ x: both, bias: [5] }, {}, single) },
  'com.microsoft.FastGelu': { 'a bias': decomposed({ x: both, bias: [5] }, {}, single) },
  Swish: {
    'by default': decomposed({ x: both }, {}, { opset: 24, ...single }),
    steeper: decomposed({ x: both }, { alpha: { float: 1.7 } }, { opset: 24, ...single }),
  },
  HardSigmoid: {
    'by default': decomposed({ x: both }),
    steeper: decomposed({ x: both }, { alpha: { float: 0.5 }, beta: { float: 0.4 } }),
  },
  HardSwish: { 'all pieces': decomposed({ x: exactly(['B=2', 3], -4, -2, -0.5, 0.5, 2, 4) }) },
  Mish: { 'both signs': decomposed({ x: both }, {}, { opset: 18 }) },
  Elu: {
    'both signs': decomposed({ x: both }, { alpha: { float: 1.3 } }),
    'far out': decomposed({ x: exactly([3], -200, 1, 200) }),
  },
  Selu: {
    'both signs': decomposed({ x: both }),
    'other constants': decomposed({ x: both }, { alpha: { float: 1.3 }, gamma: { float: 0.7 } }),
  },
  Celu: { 'both signs': decomposed({ x: both }, { alpha: { float: 1.3 } }, single) },
  PRelu: {
    'a slope a feature': decomposed({ x: both, slope: [5] }),
    'one slope': decomposed({ x: both, slope: [1] }),
  },
  ThresholdedRelu: { 'above and below': decomposed({ x: both }, { alpha: { float: 0.5 } }) },
  Softsign: { 'both signs': decomposed({ x: both }) },
});
