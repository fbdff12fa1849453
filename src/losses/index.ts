/** Losses: formulas over distances that training lowers. */
export { type CosineMarginTripletOptions, cosineMarginTriplet } from './cosine-margin-triplet.ts'
export type { Examples, Loss, Reducer, Terms } from './loss.ts'
export { mean, meanNonZero } from './reducers.ts'
export { type TripletOptions, triplet } from './triplet.ts'
