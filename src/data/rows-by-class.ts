/** The rows of each class, from the labels. */

/** The rows of each class by its label, classes in the order in which they first occur; label -1 is no class. */
export function rowsByClass(labels: Int32Array): Map<number, number[]> {
  const classes = new Map<number, number[]>()
  labels.forEach((label, row) => {
    if (label === -1) return
    const rows = classes.get(label)
    if (rows) rows.push(row)
    else classes.set(label, [row])
  })
  return classes
}
