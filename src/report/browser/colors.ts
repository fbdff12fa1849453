/** The colours of the page, as its style has them now. */
const names = ['card', 'ink', 'soft', 'line', 'right', 'wrong', 'accent'] as const
export type Colors = Readonly<Record<(typeof names)[number], string>> & { readonly dark: boolean }

export function colors(): Colors {
  const style = getComputedStyle(document.documentElement)
  const values = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]))
  return {
    ...(values as Record<(typeof names)[number], string>),
    dark: matchMedia('(prefers-color-scheme: dark)').matches,
  }
}
