/** Learning without labels: two views of each example belong together. */
import { UsageError } from '../errors.ts'
import { concat, type Value } from '../graph/value.ts'
import type { Examples, Loss } from './loss.ts'
import { numbers } from './rows.ts'

/**
 * A loss over labelled batches, made one without labels: each example comes in two views, differently augmented, and only its
 * other view is its positive. Chen, Kornblith, Norouzi, Hinton, "A Simple Framework for Contrastive Learning of Visual
 * Representations", 2020, with `ntxent`.
 *
 * @throws UsageError when it is built, if the examples are not views.
 */
export function selfSupervised(loss: Loss): Loss {
  return {
    ...loss,
    name: `selfSupervised ${loss.name}`,
    views: 2,
    ...(loss.withMining && { withMining: (mining) => selfSupervised(loss.withMining!(mining)) }),
    build(examples, variables) {
      const views = viewsOf(examples, 'selfSupervised')
      const labels = identityOf(examples, views[0])
      if (examples.kind !== 'labelled') {
        const both = { embeddings: concat(views, 0), labels: concat([labels, labels], 0) }
        return loss.build({ kind: 'labelled', ...both, largestClass: 2 }, variables)
      }
      const { references, random } = examples
      if (!references) {
        return loss.build({ ...examples, labels: concat([labels, labels], 0), largestClass: 2 }, variables)
      }
      // The first view asks, and what a slow encoder made of the second answers.
      const [, second] = viewsOf({ ...references, kind: 'labelled' }, 'selfSupervised')
      const answers = { embeddings: second, labels, largestClass: 1 }
      const asked = { kind: 'labelled', embeddings: views[0], labels, references: answers, random } as const
      return loss.build(asked, variables)
    },
  }
}

/** The numbers of the examples that the views are of [n]: those given, or 0, 1, … */
function identityOf(examples: Examples, view: Value): Value {
  const n = view.shape[0]!
  const given = examples.kind === 'labelled' ? examples.identities : undefined
  return given?.slice(0, 0, n) ?? numbers(n, view)
}

/** @throws UsageError if the examples are neither pairs nor an even number of rows. */
export function viewsOf(examples: Examples, name: string): [Value, Value] {
  if (examples.kind === 'pairs') return [examples.anchor, examples.positive]
  if (examples.kind === 'labelled') {
    const rows = examples.embeddings.shape[0]!
    if (rows % 2 === 0) {
      return [examples.embeddings.slice(0, 0, rows / 2), examples.embeddings.slice(0, rows / 2, rows)]
    }
    throw new UsageError(`${name} takes two views of each example, found ${rows} rows; expected an even number.`)
  }
  throw new UsageError(`${name} takes pairs or two views of each example, found ${examples.kind}.`)
}
