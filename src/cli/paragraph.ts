/** Prose in a terminal. */

const WIDTH = 100

/** Lines of at most so many characters, a hundred if nothing is said, indented. */
export function paragraph(text: string, indent: number, width = WIDTH): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line].map((each) => ' '.repeat(indent) + each)
}

/** Lines of text as they are, but on a terminal broken between words, where it would break within them. */
export function prose(text: string, stream: Pick<NodeJS.WriteStream, 'isTTY' | 'columns'>): string {
  if (!stream.isTTY) return text
  const width = (stream.columns ?? 80) - 1
  const broken = text.split('\n').flatMap((line) => (line.length > width ? paragraph(line, 0, width) : line))
  return broken.join('\n')
}
