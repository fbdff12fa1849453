/** Measures of retrieval in the model's metric. */
export { type EvaluateOptions, type Evaluation, evaluate, type LabelledEmbeddings } from './evaluate.ts'
export { type EmbeddedTuples, evaluateTuples, type TupleEvaluation } from './tuples.ts'
