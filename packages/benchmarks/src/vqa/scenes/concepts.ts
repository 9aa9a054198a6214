/** Something that scenes show: one word for several drawings of OpenMoji. */
export interface Concept {
  readonly name: string;
  /** Of what kind of thing it is. */
  readonly category: string;
  /** One of it, with its article. */
  readonly one: string;
  /** Two of it or more. */
  readonly plural: string;
  /** What some people call it instead. */
  readonly alias?: string;
  /** Hexadecimal codes of its drawings, the files `color/svg/CODE.svg` of the package. */
  readonly drawings: readonly string[];
}

/**
 * Concepts with a drawing that mini-clip has seen and another that it has not, so that a scene can show the same thing in either;
 * which is which says the list of held-out drawings. No two of them look alike at 24 pixels.
 */
export const concepts: readonly Concept[] = [
  concept('cat', 'animal', 'cats', ['1F408', '1F431'], 'kitten'),
  concept('rabbit', 'animal', 'rabbits', ['1F430', '1F407'], 'bunny'),
  concept('pig', 'animal', 'pigs', ['1F437', '1F416']),
  concept('tiger', 'animal', 'tigers', ['1F405', '1F42F']),
  concept('chick', 'animal', 'chicks', ['1F423', '1F424', '1F425'], 'chicken'),
  concept('train', 'vehicle', 'trains', ['1F684', '1F686', '1F685', '1F688']),
  concept('bus', 'vehicle', 'buses', ['1F68D', '1F68C']),
  concept('shoe', 'clothing', 'shoes', ['1F45F', '1F45E', '1F97F'], 'sneaker'),
  concept('coat', 'clothing', 'coats', ['1F9E5', '1F97C'], 'jacket'),
  concept('shirt', 'clothing', 'shirts', ['1F3BD', '1F455'], 't-shirt'),
  concept('swimsuit', 'clothing', 'swimsuits', ['1F459', '1FA71'], 'bathing suit'),
  concept('bread', 'food', 'loaves of bread', ['1F35E', '1F956'], 'loaf'),
  concept('potato', 'food', 'potatoes', ['1F360', '1F954'], 'sweet potato'),
  concept('nut', 'food', 'nuts', ['1F330', '1F95C']),
  concept('flower', 'plant', 'flowers', ['1F339', '1F337', '1F33B']),
  concept('camera', 'device', 'cameras', ['1F4F7', '1F4F8']),
  concept('phone', 'device', 'phones', ['1F4F1', '1F4F2'], 'cell phone'),
  concept('thermometer', 'device', 'thermometers', ['E324', '1F321']),
];

/** Colours of the squares that drawings stand on, light enough for their black outlines. */
export const colors = {
  red: [232, 80, 74],
  yellow: [247, 214, 64],
  green: [84, 178, 92],
  blue: [84, 142, 238],
  purple: [164, 104, 208],
  gray: [160, 160, 160],
} as const satisfies Readonly<Record<string, readonly [number, number, number]>>;

/** A colour by name. */
export type ColorName = keyof typeof colors;

export const colorNames = Object.keys(colors) as readonly ColorName[];

/** Words that some people use for an answer that is no concept. */
export const otherWords: Readonly<Record<string, string>> = {
  '1': 'one',
  '2': 'two',
  '3': 'three',
  '4': 'four',
  gray: 'grey',
  clothing: 'clothes',
  device: 'gadget',
};

function concept(
  name: string,
  category: string,
  plural: string,
  drawings: readonly string[],
  alias?: string,
): Concept {
  const one = plural.startsWith('loaves') ? `a loaf of ${name}` : `a ${name}`;
  return { name, category, one, plural, drawings, ...(alias !== undefined && { alias }) };
}
