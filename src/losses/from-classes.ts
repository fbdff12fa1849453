/** A loss against weights of its own: a row (or several in a row) for each class, trained with the encoder. */
import { UsageError } from '../errors.ts'
import type { Value } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import { random } from '../random.ts'
import type { Loss, Reducer, Settings } from './loss.ts'
import { termsOf } from './reducers.ts'
import { numbers, ones } from './rows.ts'

export interface ClassBatch {
  /** [n, d] */
  readonly embeddings: Value
  /** [classes × perClass, d] */
  readonly weights: Value
  /** [n, classes] bool: where a column is the row's class. */
  readonly own: Value
}

export interface ClassLoss {
  readonly name: string
  readonly metric: Metric
  readonly settings: Settings
  readonly reduce: Reducer
  /** Rows of weights for each class; 1 if left out. */
  readonly perClass?: number
  /** The term of each example [n]; or a value of the whole batch, with no axes. */
  formula(batch: ClassBatch): Value
}

/** @throws UsageError when it is built, if the examples are not labelled, have references, or the weights are not given. */
export function fromClasses({ name, metric, settings, reduce, perClass = 1, formula }: ClassLoss): Loss {
  return {
    name,
    metric,
    settings: { ...settings, reduce: reduce.name },
    over: 'classes',
    classWeights: 'weights',
    variables({ dimension, classes, seed }) {
      if (classes < 2) throw new UsageError(`${name} needs two classes at least, found ${classes}.`)
      const rows = classes * perClass
      // Glorot and Bengio, 2010, eq. 16.
      const bound = Math.sqrt(6 / (classes + dimension))
      const data = random(seed, `weights of ${name}`).uniforms(rows * dimension, -bound, bound)
      return { weights: { dtype: 'float32', shape: [rows, dimension], data, trained: true } }
    },
    build(examples, { weights } = {}) {
      if (examples.kind !== 'labelled' || examples.references) {
        throw new UsageError(
          `${name} compares labelled examples with weights of its own, found ${examples.kind === 'labelled' ? 'references' : examples.kind}.`,
        )
      }
      if (!weights) throw new UsageError(`${name} needs its weights. Give the variables of \`loss.variables\`.`)
      const { embeddings, labels } = examples
      const classes = weights.shape[0]! / perClass
      const own = labels.unsqueeze([1]).equal(numbers(classes, labels).unsqueeze([0]))
      const terms = formula({ embeddings, weights, own })
      if (terms.shape.length === 0) return { value: terms }
      return { value: reduce.reduce(termsOf(reduce, terms, ones(terms), labels)) }
    },
  }
}

/** The softmax cross-entropy of each row's own class: [n, classes] → [n]. */
export function crossEntropy(logits: Value, own: Value): Value {
  return logits.logSumExp([1]).sub(ofOwn(logits, own))
}

/** The logits with those of each row's own class replaced: [n, classes], [n] → [n, classes]. */
export function replaced(logits: Value, own: Value, by: Value): Value {
  return logits.add(by.sub(ofOwn(logits, own)).unsqueeze([1]).mul(own.cast('float32')))
}

/** The logit of each row's own class [n]. */
export function ofOwn(logits: Value, own: Value): Value {
  return logits.mul(own.cast('float32')).sum([1])
}
