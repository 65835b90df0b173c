/** The mean of so many samples, one after the other, as 0.8's graphs had it. */

type Numbers = (number | null)[]

/** Of those that there are among the last ones, each time; none where the last one has nothing. */
export function rolling(values: Numbers, many: number): Numbers {
  let sum = 0
  let count = 0
  return values.map((value, at) => {
    if (value !== null) {
      sum += value
      count += 1
    }
    const old = values[at - many] ?? null
    if (old !== null) {
      sum -= old
      count -= 1
    }
    return value === null ? null : sum / count
  })
}
