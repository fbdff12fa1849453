// Prints every name that the package exports, by entry, as a caller imports it.
const rooms = [
  'graph',
  'metrics',
  'mining',
  'losses',
  'encoders',
  'optimizers',
  'inputs',
  'data',
  'search',
  'evaluation',
  'model',
  'training',
  'report',
  'checking',
]
for (const entry of ['isometry', ...rooms.map((room) => `isometry/${room}`)]) {
  const found = await import(entry)
  console.log(entry)
  for (const name of Object.keys(found).sort()) {
    const kind =
      typeof found[name] === 'object' && found[name][Symbol.toStringTag] === 'Module' ? 'room' : typeof found[name]
    console.log(`  ${name}: ${kind}`)
  }
}
