export { checkBackbone, conformance } from './conformance.js';
export { checkNames, checks, type CheckName } from './checks/index.js';
export type { Applicable, Check } from './checks/check.js';
export { ConformanceError, type Finding } from './error.js';
export type {
  AdapterFiles,
  Capabilities,
  ConformanceOptions,
  MemoryOptions,
  Runner,
  Tolerances,
} from './options.js';
export { openSubject, type PlanParts, type Subject } from './subject.js';
