/** What is shown, as it stands in the address: whoever gets the link sees the same. */

export interface View {
  /** A text that names have in them, or a glob. */
  s: string
  /** Seconds that are shown. */
  w: number
  /** rate or value, of counters. */
  m: string
  /** Whether processes are drawn one by one, besides. */
  each: boolean
  /** Names of stats whose charts are pinned. */
  pin: string[]
  /** From when to when, in seconds since 1970; null: the last seconds there are. */
  t: [number, number] | null
  /** The column that the list is sorted by; with a minus in front from the greatest on. */
  by: string
}

export const WINDOWS = [60, 300, 900, 3600]
export const FIRST: View = { s: '', w: 300, m: 'rate', each: false, pin: [], t: null, by: '' }

export function read(search: string): View {
  const query = new URLSearchParams(search)
  const w = Number(query.get('w'))
  return {
    s: query.get('s') ?? FIRST.s,
    w: WINDOWS.includes(w) ? w : FIRST.w,
    m: query.get('m') === 'value' ? 'value' : FIRST.m,
    each: query.get('each') === 'process',
    pin: query.getAll('pin'),
    t: span(query.get('t')),
    by: ['name', '-name', 'value', '-value'].includes(query.get('by') ?? '') ? query.get('by')! : FIRST.by,
  }
}

function span(text: string | null): [number, number] | null {
  const [from, to, ...more] = (text ?? '').split(',').map(Number)
  return from && to && from < to && !more.length ? [from, to] : null
}

export function write(view: View): string {
  const query = new URLSearchParams()
  if (view.s) query.set('s', view.s)
  if (view.w !== FIRST.w) query.set('w', String(view.w))
  if (view.m !== FIRST.m) query.set('m', view.m)
  if (view.each) query.set('each', 'process')
  if (view.t) query.set('t', view.t.map((time) => time.toFixed(1)).join(','))
  if (view.by !== FIRST.by) query.set('by', view.by)
  for (const name of view.pin) query.append('pin', name)
  const text = query.toString()
  return text ? `?${text}` : location.pathname
}

/** Whether a name is wanted: a glob where there is a star, else a part of the name. */
export function wanted(name: string, s: string): boolean {
  if (!s.includes('*')) return name.toLowerCase().includes(s.toLowerCase())
  const parts = s.split('*')
  let at = 0
  if (!name.startsWith(parts[0]!)) return false
  for (const part of parts.slice(0, -1)) {
    const found = name.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  const end = parts[parts.length - 1]!
  return name.endsWith(end) && name.length - end.length >= at
}
