/** Is a loss right? */
export { checkLoss, type Report } from './check-loss.ts'
export type { Evidence, Problem, ProblemName, Trait, TraitName } from './finding.ts'
