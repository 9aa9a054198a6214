import { z } from 'zod';

const level = z.enum(['none', 'task', 'instance']).default('none');

const placeSchema = z.union([z.literal('front'), z.literal('back'), z.int().nonnegative()]);

const positionSchema = z
  .strictObject({
    level,
    mode: z.enum(['split', 'insert']).default('split'),
    anchors: z.int().min(2).optional(),
    candidate: placeSchema.optional(),
    initial: placeSchema.optional(),
    initialProbability: z.number().gt(0).lt(1).optional(),
  })
  .superRefine((position, context) => {
    if (position.mode === 'split' && position.anchors !== undefined) {
      refuse(
        context,
        'anchors',
        'has no meaning in mode split',
        "Remove it, or set position.mode to 'insert'",
      );
    }
    if (position.level !== 'none' && position.candidate !== undefined) {
      refuse(
        context,
        'candidate',
        'fixes a place that is learned',
        "Remove it, or set position.level to 'none'",
      );
    }
    if (position.level === 'none' && position.initial !== undefined)
      refuse(context, 'initial', 'is the start of a place that is not learned', 'Use position.candidate');
    if (position.initial === undefined && position.initialProbability !== undefined)
      refuse(context, 'initialProbability', 'is that of no place', 'Name the place in position.initial');
  })
  .transform((position) => ({
    level: position.level,
    mode: position.mode,
    ...(position.mode === 'insert' ? { anchors: position.anchors ?? 3 } : {}),
    ...(position.level === 'none' ? { candidate: position.candidate ?? ('front' as const) } : {}),
    ...(position.initial === undefined
      ? {}
      : { initial: position.initial, initialProbability: position.initialProbability ?? 0.9 }),
  }));

const lengthSchema = z
  .strictObject({
    level,
    penalty: z.number().nonnegative().default(0),
    initial: z.int().nonnegative().optional(),
    initialProbability: z.number().gt(0).lt(1).optional(),
    gateGradient: z.enum(['derivative', 'clipped']).optional(),
  })
  .superRefine((length, context) => {
    if (length.level !== 'none') return;
    const remedy = "Remove it, or set length.level to 'task' or 'instance'";
    if (length.penalty !== 0)
      refuse(context, 'penalty', 'has no meaning for a length that is not learned', remedy);
    for (const option of ['initial', 'initialProbability', 'gateGradient'] as const) {
      if (length[option] !== undefined) {
        refuse(context, option, 'has no meaning for a length that is not learned', remedy);
      }
    }
  });

const representationSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('fixed') }),
  z.strictObject({
    kind: z.literal('select'),
    pool: z.int().min(2).default(4),
    mixture: z.enum(['soft', 'hard']).default('soft'),
    balance: z.number().nonnegative().default(0),
  }),
  z.strictObject({ kind: z.literal('generate'), rank: z.int().min(1).default(4) }),
]);

const reparameterisationSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('mlp'), hidden: z.int().min(1).default(128) }),
]);

const initialisationSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('vocab') }),
  z.strictObject({ kind: z.literal('uniform'), range: z.number().positive().default(0.5) }),
  z.strictObject({ kind: z.literal('given') }),
]);

const temperatureSchema = z
  .strictObject({
    start: z.number().positive().default(1),
    end: z.number().positive().default(0.5),
    schedule: z.enum(['linear', 'exponential', 'constant', 'published']).default('linear'),
  })
  .superRefine((temperature, context) => {
    if (temperature.end > temperature.start) {
      refuse(context, 'end', 'is above temperature.start', 'Let the temperature fall: start ≥ end');
    }
  });

/** Checks a prompt configuration and fills in its defaults. */
export const configurationSchema = z
  .strictObject({
    slots: z.int().min(1).default(20),
    layers: z.union([z.int().min(1), z.literal('all')]).default(1),
    position: positionSchema.prefault({}),
    length: lengthSchema.prefault({}),
    representation: representationSchema.prefault({ kind: 'fixed' }),
    reparameterisation: reparameterisationSchema.prefault({ kind: 'none' }),
    tasks: z.int().min(1).optional(),
    initialisation: initialisationSchema.prefault({ kind: 'vocab' }),
    temperature: temperatureSchema.prefault({}),
    reluLogits: z.boolean().default(false),
    noiseAtEvaluation: z.boolean().default(false),
  })
  .superRefine(({ slots, position, length }, context) => {
    const candidates = position.anchors ?? slots + 1;
    for (const place of ['candidate', 'initial'] as const) {
      const index = position[place];
      if (typeof index !== 'number' || index < candidates) continue;
      const problem = `is ${index} where there are ${candidates} candidates`;
      refuse(context, ['position', place], problem, `Give an index in 0..${candidates - 1}`);
    }
    if (length.initial !== undefined && length.initial > slots) {
      const problem = `is ${length.initial} where there are ${slots} slots`;
      refuse(context, ['length', 'initial'], problem, `Give a length in 0..${slots}, or more slots`);
    }
  })
  .transform(({ length, ...rest }) => ({
    ...rest,
    length:
      length.level === 'none'
        ? { level: length.level, penalty: length.penalty }
        : {
            ...length,
            initial: length.initial ?? rest.slots,
            initialProbability: length.initialProbability ?? 0.9,
            gateGradient: length.gateGradient ?? ('derivative' as const),
          },
  }));

function refuse(context: z.RefinementCtx, path: string | string[], message: string, remedy: string): void {
  context.addIssue({ code: 'custom', path: [path].flat(), message, params: { remedy } });
}

const unionRemedies: Readonly<Record<string, string>> = {
  initial: "Use 'front', 'back' or the index of a candidate",
  candidate: "Use 'front', 'back' or the index of a candidate",
  layers: "Use a number of layers, or 'all'",
};

/** What to do about an issue. */
export function remedyOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'custom':
      return String(issue.params?.remedy);
    case 'unrecognized_keys':
      return `Remove ${issue.keys.join(', ')}, or correct the spelling`;
    case 'invalid_value':
      return `Use one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_union':
      return issue.discriminator === undefined
        ? (unionRemedies[String(issue.path.at(-1))] ?? 'Correct the value')
        : `Use a known ${issue.discriminator}`;
    case 'too_small':
      return `Use a value ${issue.inclusive === true ? 'of at least' : 'above'} ${issue.minimum}`;
    case 'too_big':
      return `Use a value ${issue.inclusive === true ? 'of at most' : 'below'} ${issue.maximum}`;
    case 'invalid_type':
      return `Give a value of type ${issue.expected}`;
    default:
      return 'Correct the value';
  }
}
