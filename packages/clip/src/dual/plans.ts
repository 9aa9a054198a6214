import { checkPlan, sumRows } from '@dynaprompt/backbone';
import { DataError, type PlanGradient, type PromptPlan } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';
import type { DualParts } from './dual-parts.js';
import { joinSides, ownSides, sharedSides, sumSides, type PlanSides } from './plan-sides.js';

/** What becomes of plans in the two towers. */
export interface Plans {
  readonly inText: boolean;
  readonly inVision: boolean;
  /** d */
  readonly width: number;
  /** @throws DataError naming the field of a plan that does not fit. */
  check(plan: PromptPlan | undefined, batch: number): void;
  /** What each tower gets; that of a tower without prompts is not to be read. */
  sidesOf(plan: PromptPlan): PlanSides;
  /**
   * The gradient of a plan from those of the towers, absent where they have no prompt.
   * @param owners [R] row of the plan that each text took.
   */
  gradientOf(
    text: PlanGradient | undefined,
    owners: readonly number[],
    vision: PlanGradient | undefined,
    batch: number,
  ): PlanGradient;
}

/** @param layers that may have prompts. */
export function plansFor({ text, vision, source, options }: DualParts, layers: number): Plans {
  const { prompts = 'text', coupling, reserve } = options;
  const [inText, inVision] = [prompts !== 'vision', prompts !== 'text'];
  const isIndependent = inText && inVision && coupling === 'independent';
  const width = isIndependent ? text.width + vision.width : inText ? text.width : vision.width;
  return {
    inText,
    inVision,
    width,
    check(plan, batch) {
      checkPlan(plan, batch, { width, layers, reserve });
      const own = (plan?.deep?.layers ?? 0) + 1;
      if (!plan || source.kind !== 'coupled' || own === layers) return;
      throw new DataError({
        packageName: PACKAGE_NAME,
        subject: 'prompt plan',
        problem: `it has prompts for ${own} layers, ${layers} are coupled`,
        remedy: `Open the backbone with layers: ${own}`,
      });
    },
    sidesOf: (plan) => (isIndependent ? ownSides(plan, text.width) : sharedSides(plan)),
    gradientOf(ofTexts, owners, ofVision, batch) {
      const ofText = ofTexts && sumRows(ofTexts, owners, batch);
      return isIndependent && ofText && ofVision
        ? joinSides(ofText, ofVision, [text.width, vision.width])
        : sumSides(ofText, ofVision);
    },
  };
}
