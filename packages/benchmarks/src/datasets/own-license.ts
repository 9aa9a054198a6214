/** Licence of data sets that are not bundled. */
export const ownLicense = "the data set's own; see its publication";
