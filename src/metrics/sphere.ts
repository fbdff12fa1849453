/** The metrics of the sphere: they look at directions only, and each is a function of the cosine. */
import { one, type Value } from '../graph/value.ts'
import type { Metric } from './metric.ts'
import { unit } from './unit.ts'

/** cos(a, b) of each pair of rows; a zero vector has cosine 0 with everything. */
function pairs(a: Value, b: Value): Value {
  return unit(a).mul(unit(b)).sum([1])
}

function all(a: Value, b: Value): Value {
  const left = unit(a)
  return one('Gemm', [left, a === b ? left : unit(b)], { transB: 1 })
}

/** 1 − |cos| up to this is rounding error, which a root or an arc would magnify: the directions count as the same. */
const ROUNDING = 1e-6

/** √(2(1 − cos)); 0 where the directions are the same, where its slope has no direction either. */
function chordOf(cos: Value): Value {
  const gap = cos.neg().add(1)
  return gap.greater(ROUNDING).where(gap.mul(2), 0).sqrt()
}

/** arccos(cos)/π; 0 and 1 where directions are the same and opposite, where its slope would be infinite. */
function angleOf(cos: Value): Value {
  const inside = cos.abs().less(1 - ROUNDING)
  const ends = cos.less(0).cast('float32')
  return inside.where(
    inside
      .where(cos, 0)
      .acos()
      .mul(1 / Math.PI),
    ends,
  )
}

function sphere(name: string, range: Metric['range'], triangle: boolean, distance: (cos: Value) => Value): Metric {
  return {
    name,
    range,
    directional: true,
    triangle,
    pairwise: (a, b) => distance(pairs(a, b)),
    matrix: (a, b) => distance(all(a, b)),
    search: { space: 'innerProduct', prepare: unit, distance },
  }
}

/** 1 − cos(a, b), from 0 (same direction) over 1 (right angle, or a zero vector) to 2 (opposite): half the squared chord. */
export const cosine = sphere('cosine', [0, 2], false, (cos) => cos.neg().add(1))

/** −cos(a, b), from −1 to 1: what `tf.keras.losses.CosineSimilarity` gives for each row, with `reduction=None`. */
export const negativeCosine = sphere('negativeCosine', [-1, 1], false, (cos) => cos.neg())

/** 2(1 − cos(a, b)), from 0 to 4: the squared distance of the unit vectors. */
export const squaredChord = sphere('squaredChord', [0, 4], false, (cos) => cos.neg().add(1).mul(2))

/** √(2(1 − cos(a, b))), from 0 to 2: the straight distance of the unit vectors. No gradient where they coincide. */
export const chord = sphere('chord', [0, 2], true, chordOf)

/** arccos(cos(a, b))/π, from 0 to 1, in half turns. No gradient at 0 and at 1. */
export const angular = sphere('angular', [0, 1], true, angleOf)
