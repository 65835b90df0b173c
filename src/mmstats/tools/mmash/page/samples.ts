/** What mmash sampled: a time, and a number of each series, as long as the page keeps them. */

export interface Series {
  name: string
  label: string
  tags: Record<string, string>
  group: string
  kind: string
  what: string
  unit: string
  help: string
  /** How those of several processes are made one. */
  aggregate: string
  /** Whose it is, where each process is told by its own. */
  process: string
}

export interface History {
  epoch: string
  first: number
  last: number
  t: number[]
  interval: number
  failed: string | null
  series: (Series & { values: (number | null)[] })[]
}

export interface Index {
  epoch: string
  interval: number
  series: Series[]
}

export interface Sample {
  n: number
  t: number
  whole?: boolean
  v: [number, number | null][]
}

type Numbers = (number | null)[]

/** All lines of one stat, by what of it they tell. */
export interface Stat {
  key: string
  name: string
  /** The label and what its tags are, where a list has no room for more. */
  short: string
  label: string
  tags: Record<string, string>
  process: string
  group: string
  kind: string
  unit: string
  help: string
  aggregate: string
  lines: Map<string, number>
}

const KEPT = 3600 // samples
const SLACK = 300

export class Samples {
  epoch = ''
  interval = 1
  last = 0
  series: Series[] = []
  times: number[] = []
  stats: Stat[] = []
  private columns: Numbers[] = []
  private now: Numbers = []

  /** What was before the page was opened. */
  load(history: History): void {
    this.epoch = history.epoch
    this.interval = history.interval
    this.last = history.last
    this.times = history.t.slice()
    this.series = history.series
    this.columns = history.series.map((one) => one.values.slice())
    this.now = this.columns.map((values) => values[values.length - 1] ?? null)
    this.group()
  }

  /** What came since, as `/api/v1/history` told it; whether it goes on from what there is. */
  more(history: History): boolean {
    if (history.epoch !== this.epoch || history.first > this.last + 1) return false
    const places = new Map(this.series.map((one, place) => [keyOf(one), place]))
    for (const one of history.series) {
      if (places.has(keyOf(one))) continue
      places.set(keyOf(one), this.series.length)
      this.series.push(one)
      this.columns.push(new Array<null>(this.times.length).fill(null))
      this.now.push(null)
    }
    history.t.forEach((time, at) => {
      this.now.fill(null)
      for (const one of history.series) this.now[places.get(keyOf(one))!] = one.values[at] ?? null
      this.row(time, false)
    })
    this.last = Math.max(this.last, history.last)
    this.group()
    return true
  }

  /** Which series there are; after a restart of mmash a break is drawn, and nothing before it is mixed with it. */
  index(index: Index): void {
    this.interval = index.interval
    if (this.epoch && index.epoch !== this.epoch) {
      this.restart(index)
    } else {
      const known = this.series.length
      for (const one of index.series.slice(known)) {
        this.series.push(one)
        this.columns.push(new Array<null>(this.times.length).fill(null))
        this.now.push(null)
      }
    }
    this.epoch = index.epoch
    this.group()
  }

  private restart(index: Index): void {
    const before = new Map(this.series.map((one, place) => [keyOf(one), this.columns[place]!]))
    this.series = index.series
    this.columns = index.series.map(
      (one) => before.get(keyOf(one)) ?? new Array<null>(this.times.length).fill(null),
    )
    this.now = index.series.map(() => null)
    this.last = 0
    this.row(this.times.length ? this.times[this.times.length - 1]! + this.interval : 0, true)
  }

  /** One more sample. */
  add(sample: Sample): void {
    if (sample.whole) this.now.fill(null)
    for (const [place, value] of sample.v) this.now[place] = value
    if (this.last && sample.n > this.last + 1) this.row(sample.t - this.interval, true)
    this.last = sample.n
    this.row(sample.t, false)
  }

  private row(time: number, isBreak: boolean): void {
    if (time <= (this.times[this.times.length - 1] ?? 0)) return
    this.times.push(time)
    this.columns.forEach((values, place) => values.push(isBreak ? null : (this.now[place] ?? null)))
    if (this.times.length > KEPT + SLACK) {
      this.times.splice(0, SLACK)
      for (const values of this.columns) values.splice(0, SLACK)
    }
  }

  private group(): void {
    const found = new Map<string, Stat>()
    this.series.forEach((one, place) => {
      const key = [one.group, one.name, one.process].join(' ').trim()
      let stat = found.get(key)
      if (!stat) {
        const { name, label, tags, process, group, kind, help, aggregate } = one
        const short = [one.label, ...Object.values(one.tags)].join(' ')
        stat = { key, name, label, tags, process, short, group, kind, help, aggregate, unit: '', lines: new Map() }
        found.set(key, stat)
      }
      if (one.what !== 'rate') stat.unit = one.unit
      stat.lines.set(one.what, place)
    })
    this.stats = [...found.values()]
  }

  values(place: number): Numbers {
    return this.columns[place] ?? []
  }

  latest(place: number): number | null {
    return this.now[place] ?? null
  }

  /** When the last sample was taken. */
  get end(): number {
    return this.times[this.times.length - 1] ?? 0
  }

  /** Where the last so many seconds begin. */
  since(seconds: number): number {
    return this.from(this.end - seconds)
  }

  /** The first sample that is not before that time. */
  from(begin: number): number {
    let low = 0
    let high = this.times.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.times[middle]! < begin) low = middle + 1
      else high = middle
    }
    return low
  }
}

function keyOf(one: Series): string {
  return [one.group, one.name, one.process, one.what].join(' ')
}

/** The rule that made one number of those of all processes, in a word. */
export function ruleOf(stat: Stat): string {
  return stat.lines.has('p50') ? 'percentiles' : stat.aggregate || 'sum'
}

/** Which lines are drawn of a stat, the first one is the one that the list shows. */
export function linesOf(stat: Stat, mode: string): string[] {
  const has = (what: string) => stat.lines.has(what)
  if (has('p99')) return ['p99', 'p90', 'p50'].filter(has)
  if (mode === 'value' && has('value')) return ['value']
  return has('rate') ? ['rate'] : ['value'].filter(has)
}
