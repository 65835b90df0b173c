/** What is shown, as it stands in the address: whoever gets the link sees the same. */

export interface View {
  /** A text that names have in them, or a glob. */
  s: string
  /** Seconds that are shown. */
  w: number
  /** rate or value, of counters. */
  m: string
  /** What lines are told apart by besides: nothing, `process`, or the name of a tag. */
  by: string
  /** How high a value is drawn: linear, log, or each line on top of the one before. */
  y: string
  /** Of so many samples the mean is drawn, too; 0: none. */
  avg: number
  /** Names of stats whose charts are pinned. */
  pin: string[]
  /** Name of a stat → the number that a line is drawn at. */
  line: Map<string, number>
  /** From when to when, in seconds since 1970; null: the last seconds there are. */
  t: [number, number] | null
  /** The column that the list is sorted by; with a minus in front from the greatest on. */
  sort: string
}

export const WINDOWS = [60, 300, 900, 3600]
export const MEANS = [0, 10, 60, 300]
export const HEIGHTS = ['linear', 'log', 'stacked']
const SORTS = ['name', '-name', 'value', '-value']
export const FIRST: View = {
  s: '',
  w: 300,
  m: 'rate',
  by: '',
  y: 'linear',
  avg: location.pathname.endsWith('/graph/') ? 10 : 0,
  pin: [],
  line: new Map(),
  t: null,
  sort: '',
}

export function read(search: string): View {
  const query = new URLSearchParams(search)
  const one = (name: string, known: string[], first: string) =>
    known.includes(query.get(name) ?? '') ? query.get(name)! : first
  const w = Number(query.get('w'))
  const avg = Number(query.get('avg') ?? FIRST.avg)
  return {
    s: query.get('s') ?? FIRST.s,
    w: WINDOWS.includes(w) ? w : FIRST.w,
    m: one('m', ['rate', 'value'], FIRST.m),
    by: query.get('by') ?? FIRST.by,
    y: one('y', HEIGHTS, FIRST.y),
    avg: MEANS.includes(avg) ? avg : FIRST.avg,
    pin: query.getAll('pin'),
    line: new Map(query.getAll('line').flatMap(lineOf)),
    t: span(query.get('t')),
    sort: one('sort', SORTS, FIRST.sort),
  }
}

function lineOf(text: string): [string, number][] {
  const at = text.lastIndexOf(':')
  const value = Number(text.slice(at + 1) || NaN)
  return at > 0 && Number.isFinite(value) ? [[text.slice(0, at), value]] : []
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
  if (view.by) query.set('by', view.by)
  if (view.y !== FIRST.y) query.set('y', view.y)
  if (view.avg !== FIRST.avg) query.set('avg', String(view.avg))
  if (view.t) query.set('t', view.t.map((time) => time.toFixed(1)).join(','))
  if (view.sort !== FIRST.sort) query.set('sort', view.sort)
  for (const name of view.pin) query.append('pin', name)
  for (const [name, value] of view.line) query.append('line', `${name}:${value}`)
  const text = query.toString()
  // With the path: what is relative would be so to the page's <base>.
  return location.pathname + (text && `?${text}`)
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
