/** The characters that the demo draws, script by script, and which of them are drawn like another. */

export type Script = 'Latin' | 'Digits' | 'Greek' | 'Cyrillic'

export interface Character {
  readonly script: Script
  /** Unambiguous where upper and lower case are one, as in the file names of some systems: `zhe-capital`, `a-small`. */
  readonly name: string
  readonly text: string
}

const greek =
  'alpha Αα, beta Ββ, gamma Γγ, delta Δδ, epsilon Εε, zeta Ζζ, eta Ηη, theta Θθ, iota Ιι, kappa Κκ, lambda Λλ, mu Μμ, ' +
  'nu Νν, xi Ξξ, omicron Οο, pi Ππ, rho Ρρ, sigma Σσ, final-sigma ς, tau Ττ, upsilon Υυ, phi Φφ, chi Χχ, psi Ψψ, omega Ωω'

/** The Russian alphabet without yo, which is ye with two dots, and the letters that Serbian has beside it. */
const cyrillic =
  'a Аа, be Бб, ve Вв, ghe Гг, de Дд, ye Ее, zhe Жж, ze Зз, i Ии, short-i Йй, ka Кк, el Лл, em Мм, en Нн, o Оо, pe Пп, ' +
  'er Рр, es Сс, te Тт, u Уу, ef Фф, ha Хх, tse Цц, che Чч, sha Шш, shcha Щщ, hard-sign Ъъ, yeru Ыы, soft-sign Ьь, e Ээ, ' +
  'yu Юю, ya Яя, dje Ђђ, lje Љљ, nje Њњ, tshe Ћћ, dzhe Џџ'

const latin = [...'abcdefghijklmnopqrstuvwxyz'].map((letter) => `${letter} ${letter.toUpperCase()}${letter}`).join(', ')

const all: readonly Character[] = [
  ...letters('Latin', latin),
  ...[...'0123456789'].map((digit) => ({ script: 'Digits' as const, name: digit, text: digit })),
  ...letters('Greek', greek),
  ...letters('Cyrillic', cyrillic),
]

/**
 * Drawn exactly like a character of another script, often from the same outline: never drawn at all, because nothing can
 * tell them apart, and to find one by the other is no achievement. Of each pair the Latin one stays, or else the Greek one.
 */
const copies = 'ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ' + 'ον' + 'АВЕКМНОРСТХ' + 'аеорсух' + 'ГПФ' + 'к'

/** Likewise in some of the typefaces: Λ, 3 and p, x again, and small Cyrillic letters in the forms that Bulgaria uses. */
const sometimesCopies = 'ЛЗ' + 'ρχ' + 'дитпф'

/**
 * Drawn like another character apart from its size: left out by character, because an encoder that is to know a letter in
 * every typeface cannot know which of two sizes it sees. Of each set one stays, the largest where there is a choice: O for
 * O, o and 0, I for I and l. By typeface they count: there, size is part of the style.
 */
const resized = 'coszuvwxl' + '0' + 'κφψ' + 'вгжзйлмнцчшщъыьэюя' + 'љњџ'

/** Drawn much like a Latin letter or a digit that training sees, so no test of what it never saw. */
const familiar = 'ιυ' + 'УЬб'

/** Not drawn either: the pinned version of one family, Brygada 1918, has another letter in its place. */
const misdrawn = 'Θ'

/** Every character, for telling typefaces apart. */
export const byTypeface = all.filter(({ text }) => !(copies + sometimesCopies + misdrawn).includes(text))

/** The characters that can be told from each other in any typeface: for training, and others never seen in training. */
export const byCharacter = {
  train: byTypeface.filter((character) => isLatin(character) && isDistinct(character)),
  test: byTypeface.filter((character) => !isLatin(character) && isDistinct(character)),
}

function isLatin({ script }: Character): boolean {
  return script === 'Latin' || script === 'Digits'
}

function isDistinct({ text }: Character): boolean {
  return !(resized + familiar).includes(text)
}

/** Reads `name Xx, …`: the capital and the small letter of each name, or the small letter alone. */
function letters(script: Script, table: string): Character[] {
  return table.split(', ').flatMap((entry) => {
    const [name, forms] = entry.split(' ') as [string, string]
    return [...forms].map((text) => ({
      script,
      name: `${name}-${text === text.toLowerCase() ? 'small' : 'capital'}`,
      text,
    }))
  })
}
