/** A line as high as a letter. */

const WIDTH = 100
const HEIGHT = 24

export function Spark({ values }: { values: (number | null)[] }) {
  const numbers = values.filter((value): value is number => value !== null)
  const low = Math.min(...numbers, Infinity)
  const high = Math.max(...numbers, -Infinity)
  const room = high - low || 1
  let path = ''
  let isUp = true
  values.forEach((value, at) => {
    if (value === null) {
      isUp = true
      return
    }
    const x = (at / Math.max(1, values.length - 1)) * WIDTH
    const y = HEIGHT - 2 - ((value - low) / room) * (HEIGHT - 4)
    path += `${isUp ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`
    isUp = false
  })
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <path d={path} />
    </svg>
  )
}
