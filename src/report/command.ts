/** Commands as one can paste them into a shell. */

/** One argument: in quotes where a shell would take it apart. */
export function quote(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`
}

export function commandLine(args: readonly string[]): string {
  return ['isometry', ...args].map(quote).join(' ')
}
