/** `isometry losses` */
import { lossesByName, reducerNames } from '../losses/by-name.ts'
import { minerNames } from '../mining/by-name.ts'

/** The losses with their settings and what each is if left out, the miners and the reducers. */
export function losses({ json }: { readonly json?: boolean }): void {
  const found = [...lossesByName].map(([name, { settings, make }]) => {
    const { metric, settings: made = {}, withMining } = make({})
    const defaults = Object.fromEntries(Object.keys(settings).map((setting) => [setting, made[setting] ?? null]))
    return { name, metric: metric.name, settings: defaults, mined: withMining !== undefined }
  })
  if (json) {
    process.stdout.write(`${JSON.stringify({ losses: found, mining: minerNames, reducers: reducerNames })}\n`)
    return
  }
  const width = Math.max(...found.map(({ name }) => name.length))
  const metricWidth = Math.max(...found.map(({ metric }) => metric.length))
  const lines = found.map(({ name, metric, settings }) => {
    const shown = Object.entries(settings).map(([setting, value]) => `${setting} ${value}`)
    return `${name.padEnd(width)}  ${metric.padEnd(metricWidth)}  ${shown.join(', ')}`.trimEnd()
  })
  process.stdout.write(
    `${lines.join('\n')}\n\n--mining   ${minerNames.join(', ')}\n--reducer  ${reducerNames.join(', ')}\n`,
  )
}
