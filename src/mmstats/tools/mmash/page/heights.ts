/** How high numbers are drawn, where that is not simply how large they are. */

type Numbers = (number | null)[]

/** Each line on top of the one before; where one has nothing, it is as high as that. */
export function stacked(lines: Numbers[]): Numbers[] {
  let below: Numbers = []
  return lines.map((values) => {
    below = values.map((value, at) => (value === null ? (below[at] ?? null) : value + (below[at] ?? 0)))
    return below
  })
}

/** A power of ten that no number above zero is below: what is, is as good as nothing on a logarithmic scale. */
export function least(lines: Numbers[]): number {
  let found = Infinity
  for (const values of lines) for (const value of values) if (value && value > 0 && value < found) found = value
  return found === Infinity ? 1 : 10 ** Math.floor(Math.log10(found))
}

/** Of the places where a logarithmic axis is divided those that are told: powers of ten, and zero. */
export function decades(places: (number | null)[], low: number): Numbers {
  return places.map((place) => {
    if (place === null || place < low) return null
    const power = Math.log10(Math.abs(place))
    return place === 0 || Math.abs(power - Math.round(power)) < 1e-9 ? place : null
  })
}

/** Steps of an axis of bytes: 1024 is a round number, and a thousand is none. */
export const BINARY_STEPS = Array.from({ length: 60 }, (_, power) => 2 ** power)
