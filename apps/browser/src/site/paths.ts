/** Folders of a site, relative to it. */
export const siteFolders = {
  /** Modules of the page. */
  page: 'page',
  /** transformers.js and onnxruntime-web. */
  library: 'library',
  /** The exported model. */
  model: 'model',
} as const;
