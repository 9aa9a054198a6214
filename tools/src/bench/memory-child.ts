import { measureMemory, type MemoryRequest } from './memory.js';

// One configuration in a fresh process: `node --expose-gc memory-child.js REQUEST`, request and answer in JSON.
console.log(JSON.stringify(await measureMemory(JSON.parse(process.argv[2] ?? '') as MemoryRequest)));
