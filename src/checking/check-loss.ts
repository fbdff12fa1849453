/** Is this loss right? What is wrong with it, and what it is like. */
import { DataError, UsageError } from '../errors.ts'
import type { Loss } from '../losses/loss.ts'
import type { Problem, Trait } from './finding.ts'
import { batchProblems } from './problems/batch.ts'
import { directionProblems } from './problems/direction.ts'
import { finiteProblems } from './problems/finite.ts'
import { thresholdProblems } from './problems/threshold.ts'
import { type Subject, type Survey, survey } from './survey.ts'
import { traitsOf } from './traits.ts'

export interface Report {
  /** Mistakes. A loss that trains what it should has none. */
  readonly problems: readonly Problem[]
  /** What the loss is like; empty where there is nothing finite to look at. */
  readonly traits: readonly Trait[]
}

/**
 * Evaluates a loss and its gradient on constructed triplets and batches, and says what is wrong with it (a similarity used
 * as a distance, distances never compared, a mean inside the hinge, a margin out of reach, …) and what it is like. Nothing
 * is trained.
 *
 * The loss takes tuples or labelled batches, in embeddings of 8 dimensions.
 *
 * @throws UsageError if it takes neither, compares with weights of classes, or does not give one number.
 */
export function checkLoss(loss: Loss): Promise<Report> {
  const { margin } = loss.settings ?? {}
  return check({ loss, ...(typeof margin === 'number' && { margin }) })
}

/** The same for a loss of which more is known. */
export async function check(subject: Subject): Promise<Report> {
  if (subject.loss.over === 'classes') {
    throw new UsageError(
      `${subject.loss.name} compares examples with weights of classes, not with each other, so there are no triplets to check it on.`,
    )
  }
  const found = await survey(subject)
  try {
    if (found.samples.length === 0 && found.notFinite.length === 0) throw new DataError('No triplet could be tried.')
    const problems = await problemsOf(found)
    return { problems, traits: found.samples.length > 0 ? await traitsOf(found) : [] }
  } finally {
    await found.release()
  }
}

async function problemsOf(found: Survey): Promise<Problem[]> {
  const finite = await finiteProblems(found)
  if (found.samples.length === 0) return finite
  const direction = await directionProblems(found)
  const batch = direction.some(({ name }) => name === 'constant') ? [] : await batchProblems(found)
  // Where something goes the wrong way or not at all, where it stops says nothing.
  const threshold = direction.length > 0 ? [] : await thresholdProblems(found)
  return [...direction, ...threshold, ...batch, ...finite]
}
