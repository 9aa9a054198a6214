/** The one door to onnxruntime: nothing else of the package imports it. */
export { InferenceSession, listSupportedBackends, Tensor as RuntimeTensor } from 'onnxruntime-node';
