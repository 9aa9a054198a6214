/** The drawings of the concepts that mini-clip has not seen. */
export const heldOutCodes = [
  ...['1F408', '1F430', '1F437', '1F405', '1F423', '1F684', '1F686', '1F68D', '1F45F', '1F9E5'],
  ...['1F3BD', '1F459', '1F35E', '1F360', '1F330', '1F339', '1F4F7', '1F4F1', 'E324'],
];

/** The same as the list that a backbone has. */
export const heldOutList = JSON.stringify(
  heldOutCodes.map((code) => ({ source: 'openmoji', file: `${code}.svg`, caption: '', group: '' })),
);
