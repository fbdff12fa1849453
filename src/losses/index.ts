/** Losses: formulas over distances that training lowers. */
export { type CosineMarginTripletOptions, cosineMarginTriplet } from './cosine-margin-triplet.ts'
export type {
  Examples,
  LabelledExamples,
  Loss,
  Reducer,
  Terms,
  TripletDistances,
  TripletFormula,
  TupleExamples,
} from './loss.ts'
export { type QuadrupletOptions, quadruplet } from './quadruplet.ts'
export { mean, meanNonZero } from './reducers.ts'
export { type TripletFormulaOptions, type TripletOptions, triplet } from './triplet.ts'
