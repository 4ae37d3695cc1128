/** What to do better. */
import {
  endsBadly,
  missingNextStep,
  noReply,
  oneSided,
  priceBeforeNeed,
  unansweredObjection,
} from "./coach-content.ts";
import {
  closedQuestions,
  cutsIn,
  deadAir,
  fewQuestions,
  fillers,
  impatient,
  monologue,
  shortAnswers,
  talksTooMuch,
  tooFast,
} from "./coach-pace.ts";
import type { Rule } from "./coach-scene.ts";

/** Best first among equals in severity. */
export const WEAKNESSES: readonly Rule[] = [
  oneSided,
  unansweredObjection,
  endsBadly,
  noReply,
  missingNextStep,
  fewQuestions,
  talksTooMuch,
  priceBeforeNeed,
  monologue,
  cutsIn,
  impatient,
  closedQuestions,
  shortAnswers,
  deadAir,
  tooFast,
  fillers,
];
