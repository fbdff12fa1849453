/** Losses: formulas over distances that training lowers. */
export { cosineMarginTriplet, type CosineMarginTripletOptions } from './cosine-margin-triplet.ts'
export type { Examples, Loss, Reducer, Terms } from './loss.ts'
export { mean, meanNonZero } from './reducers.ts'
export { triplet, type TripletOptions } from './triplet.ts'
