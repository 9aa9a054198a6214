/** Fields of an {@link OnnxAutodiffError}. */
export interface OnnxAutodiffErrorDetails {
  /** Model file, tensor or node at fault. */
  readonly subject: string;
  readonly problem: string;
  readonly remedy: string;
  readonly cause?: unknown;
}

/** Names in a hostile model can be as long as the model. */
const LONGEST_PART = 2000;

function shortened(text: string): string {
  return text.length <= LONGEST_PART ? text : `${text.slice(0, LONGEST_PART)}…`;
}

/** Base of all errors of this package: one line that names package, subject, problem and remedy. */
export class OnnxAutodiffError extends Error {
  readonly packageName = '@dynaprompt/onnx-autodiff';
  readonly subject: string;
  readonly problem: string;
  readonly remedy: string;

  constructor(details: OnnxAutodiffErrorDetails) {
    super(
      `@dynaprompt/onnx-autodiff: ${shortened(details.subject)}: ${shortened(details.problem)}. ${shortened(details.remedy)}.`,
      'cause' in details ? { cause: details.cause } : undefined,
    );
    this.name = new.target.name;
    this.subject = details.subject;
    this.problem = details.problem;
    this.remedy = details.remedy;
  }
}

/** The bytes are not a model that can be read: missing, truncated, a git-lfs pointer, malformed, cyclic. */
export class MalformedModelError extends OnnxAutodiffError {}

/** The model is sound, but holds an operator or a form of it that has no gradient rule. */
export class UnsupportedOperatorError extends OnnxAutodiffError {}

/** The graph has no tensor of the structure that was looked for (token embedding, attention, hidden state). */
export class StructureNotFoundError extends OnnxAutodiffError {}

/** Inputs given to a session do not fit the graph. */
export class InvalidInputError extends OnnxAutodiffError {}

/** onnxruntime refused the graph or failed while running it. */
export class RuntimeFailureError extends OnnxAutodiffError {}

/** onnxruntime-node is not installed, or its library does not load on this machine. */
export class RuntimeMissingError extends OnnxAutodiffError {}

/** An execution provider that was asked for does not work here, and nothing else was to take its place. */
export class ProviderUnavailableError extends OnnxAutodiffError {}
