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

export function clock(time: number): string {
  return new Date(time * 1000).toLocaleTimeString()
}
