import type { PictureRequest, PixelSource } from './pixel-source.js';

/** A request on its way. Neither promise rejects, so that an error waits for the one who asks. */
export interface Loading<Request extends PictureRequest> {
  readonly request: Request;
  readonly outcome: Promise<{ readonly values: Float32Array } | { readonly failure: unknown }>;
  /** Resolves when decoding goes on without the JavaScript thread, or is over. */
  readonly underway: Promise<void>;
}

/** Begins to load a picture. */
export function begin<Request extends PictureRequest>(
  source: PixelSource,
  request: Request,
  signal: AbortSignal,
): Loading<Request> {
  let onUnderway: () => void = () => undefined;
  const handedOver = new Promise<void>((resolve) => {
    onUnderway = resolve;
  });
  const outcome = source.pixelValues(request, signal, onUnderway).then(
    (values) => ({ values }),
    (failure: unknown) => ({ failure }),
  );
  return { request, outcome, underway: Promise.race([handedOver, outcome.then(() => undefined)]) };
}
