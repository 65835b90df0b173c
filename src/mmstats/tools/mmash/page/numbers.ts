/** Numbers for people, by their unit. */

const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi']
const DECIMAL = ['', 'k', 'M', 'G', 'T', 'P']

export function human(value: number | null, unit: string): string {
  if (value === null) return '–'
  if (unit === 'seconds') return seconds(value)
  if (unit === 'bytes') return scaled(value, 1024, BINARY)
  if (unit === '1/s') return `${scaled(value, 1000, DECIMAL)}/s`
  return scaled(value, 1000, DECIMAL)
}

function scaled(value: number, base: number, names: string[]): string {
  let size = Math.abs(value)
  let step = 0
  while (size >= base && step < names.length - 1) {
    size /= base
    step += 1
  }
  return `${value < 0 ? '-' : ''}${short(size)}${names[step]}`
}

function short(value: number): string {
  if (Number.isInteger(value) && value < 10_000) return String(value)
  if (value >= 100) return value.toFixed(0)
  if (value >= 10) return value.toFixed(1)
  if (value >= 1) return value.toFixed(2)
  return String(Number(value.toPrecision(3)))
}

function seconds(value: number): string {
  const size = Math.abs(value)
  if (size === 0) return '0s'
  if (size < 1e-3) return `${short(value * 1e6)}µs`
  if (size < 1) return `${short(value * 1e3)}ms`
  if (size < 120) return `${short(value)}s`
  if (size < 7200) return `${short(value / 60)}m`
  return `${short(value / 3600)}h`
}

/** What somebody typed, as 50ms, 10Mi or 1.5k, by the unit; null: that is no number. */
export function quantity(text: string, unit: string): number | null {
  const found = /^\s*(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*([a-zµ]*)(?:\/s)?\s*$/i.exec(text)
  if (!found) return null
  const factors = unit === 'seconds' ? TIMES : FACTORS
  const name = found[2]!
  return Object.hasOwn(factors, name) ? Number(found[1]) * factors[name]! : null
}

const TIMES: Record<string, number> = { '': 1, us: 1e-6, 'µs': 1e-6, ms: 1e-3, s: 1, m: 60, min: 60, h: 3600 }
const FACTORS: Record<string, number> = Object.fromEntries([
  ...BINARY.map((name, step) => [name, 1024 ** step]),
  ...DECIMAL.map((name, step) => [name, 1000 ** step]),
  ['K', 1000],
]) as Record<string, number>

export function clock(time: number): string {
  return new Date(time * 1000).toLocaleTimeString()
}
