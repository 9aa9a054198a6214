export { openAdapterName, type AdapterNameOptions } from './open-adapter-name.js';
export type { AdapterNameExample } from '../tokens/example.js';
