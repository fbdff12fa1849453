// What visits all triplets of a batch in which half the rows are of one class, in every way: prints the peak of resident memory.
import { losses, valueAndGradient } from 'isometry'

const rows = Number(process.argv[2])
const dimension = 16
const embeddings = {
  data: Float32Array.from({ length: rows * dimension }, (_, i) => Math.sin(i * i)),
  shape: [rows, dimension],
}
const labels = Array.from({ length: rows }, (_, i) => (i % 2 ? 'large' : i % 64))
const all = [
  losses.triplet(),
  losses.cosineMarginTriplet(),
  losses.triplet({ swap: true }),
  losses.pnp(),
  losses.dynamicSoftMargin(),
]
for (const loss of all) {
  const { value, gradient } = await valueAndGradient(loss, { embeddings, labels })
  if (!Number.isFinite(value) || !gradient.every(Number.isFinite)) throw new Error(`${loss.name} is not finite`)
}
console.log(process.resourceUsage().maxRSS * 1024)
