/** mmash's page: a list of all stats, and charts of those that one looks at. */

import 'uplot/dist/uPlot.min.css'
import './page.css'
import { render } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { read, type View, wanted, WINDOWS, write } from './address'
import { Chart } from './chart'
import { KEYS, named } from './keys'
import { List } from './list'
import { step } from './plot'
import { Processes } from './processes'
import { clock } from './numbers'
import { linesOf, type Samples, type Stat } from './samples'
import { type State, Stream } from './stream'
import { Texts } from './texts'

const DARK = matchMedia('(prefers-color-scheme: dark)')
const WORDS: Record<State, string> = { connecting: 'connecting', live: 'live', reconnecting: 'reconnecting', over: 'over' }

function Page({ stream }: { stream: Stream }) {
  const [beat, tick] = useState(0)
  const [view, change] = useState<View>(() => read(location.search))
  const [chosen, choose] = useState('')
  const [isPaused, pause] = useState(false)
  const [isHelp, help] = useState(false)
  const [said, say] = useState('')
  const [theme, dress] = useState(() => localStorage.getItem('mmash-theme') ?? '')
  const filter = useRef<HTMLInputElement>(null)
  const paused = useRef(false)
  paused.current = isPaused
  const { samples, state, reason } = stream

  useEffect(() => {
    let waiting = false
    notify = (isSample) => {
      if ((paused.current && isSample) || waiting) return
      waiting = true
      requestAnimationFrame(() => {
        waiting = false
        tick((before) => before + 1)
      })
    }
    void stream.begin()
  }, [])

  useEffect(() => history.replaceState(null, '', write(view)), [view])
  useEffect(() => {
    const chosen = () => tick((before) => before + 1) // by the system, meanwhile
    DARK.addEventListener('change', chosen)
    return () => DARK.removeEventListener('change', chosen)
  }, [])
  const isDark = theme ? theme === 'dark' : DARK.matches
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light'
  useEffect(() => localStorage.setItem('mmash-theme', theme), [theme])

  const set = (part: Partial<View>) => change((before) => ({ ...before, ...part }))
  const pinned = useMemo(() => new Set(view.pin), [view.pin])
  const stats = inOrder(samples, samples.stats.filter((one) => wanted(one.name, view.s)), view)
  const open = stats.find((one) => one.key === chosen)
  const charts = [
    ...samples.stats.filter((one) => pinned.has(one.name)),
    ...(open && !pinned.has(open.name) ? [open] : []),
  ]
  const pin = (name: string) =>
    set({ pin: pinned.has(name) ? view.pin.filter((one) => one !== name) : [...view.pin, name] })
  // Keys may come faster than the page is drawn: each goes on from what the one before has left.
  const move = (by: number) =>
    choose((before) => {
      const at = stats.findIndex((one) => one.key === before)
      return stats[Math.max(0, Math.min(stats.length - 1, at < 0 ? 0 : at + by))]?.key ?? before
    })
  const longer = (by: number) =>
    change((before) => {
      const at = WINDOWS.indexOf(before.w) + by
      return { ...before, w: WINDOWS[Math.max(0, Math.min(WINDOWS.length - 1, at))]! }
    })
  const outOfSight = view.t && samples.times.length > 0 && samples.from(view.t[0]) === samples.from(view.t[1])

  const actions: Record<string, () => void> = {
    '/': () => filter.current?.focus(),
    j: () => move(1),
    k: () => move(-1),
    Enter: () => choose((before) => (before ? '' : (stats[0]?.key ?? ''))),
    p: () => open && pin(open.name),
    m: () => change((before) => ({ ...before, m: before.m === 'rate' ? 'value' : 'rate' })),
    b: () => change((before) => ({ ...before, each: !before.each })),
    ' ': () => pause((before) => !before),
    '+': () => longer(1),
    '-': () => longer(-1),
    ArrowLeft: () => say(step(-1)),
    ArrowRight: () => say(step(1)),
    t: () => change((before) => ({ ...before, t: before.t ? null : [samples.end - before.w, samples.end + 0.1] })),
    c: () => document.querySelector<HTMLAnchorElement>('a.csv')?.click(),
    i: () => save(charts[charts.length - 1], say),
    s: () => void copy(say),
    d: () => dress(isDark ? 'light' : 'dark'),
    '?': () => help((before) => !before),
    Escape: () => (isHelp ? help(false) : choose('')),
  }

  const doing = useRef(actions)
  doing.current = actions

  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const at = event.target as HTMLElement
      if (event.ctrlKey || event.metaKey || event.altKey) return
      if (at instanceof HTMLInputElement || at instanceof HTMLSelectElement) {
        if (event.key === 'Escape') at.blur()
        return
      }
      if (at instanceof HTMLButtonElement && (event.key === ' ' || event.key === 'Enter')) return
      const action = doing.current[event.key]
      if (action) {
        event.preventDefault()
        action()
      }
    }
    document.addEventListener('keydown', pressed)
    return () => document.removeEventListener('keydown', pressed)
  }, [])

  const status = isPaused ? 'paused' : WORDS[state]
  return (
    <>
      <header>
        <h1>mmash</h1>
        <p role="status" class={`status ${status}`}>
          <span aria-hidden="true">{isPaused ? '❚❚' : state === 'live' ? '●' : '○'}</span> {status}
          {reason ? `: ${reason}` : ''} · {samples.stats.length} stats
        </p>
        <label class="filter">
          <span class="hidden">Filter by name</span>
          <input
            ref={filter}
            type="search"
            placeholder="filter: web or web.*"
            value={view.s}
            onInput={(event) => set({ s: event.currentTarget.value })}
          />
        </label>
        <label>
          <span class="hidden">How long</span>
          <select value={String(view.w)} onChange={(event) => set({ w: Number(event.currentTarget.value) })}>
            {WINDOWS.map((seconds) => (
              <option value={String(seconds)}>{seconds / 60} min</option>
            ))}
          </select>
        </label>
        <button type="button" aria-pressed={view.m === 'value'} onClick={actions.m}>
          {view.m === 'rate' ? 'rates' : 'totals'}
        </button>
        <button type="button" aria-pressed={view.each} onClick={actions.b}>
          {view.each ? 'by process' : 'together'}
        </button>
        <button type="button" aria-pressed={isPaused} onClick={actions[' ']}>
          {isPaused ? 'go on' : 'pause'}
        </button>
        <button type="button" onClick={actions.d} aria-label="Dark or light">
          {isDark ? '☀' : '☾'}
        </button>
        <button type="button" onClick={actions['?']} aria-expanded={isHelp} aria-label="Keys">
          ?
        </button>
      </header>
      {isHelp && (
        <aside class="help" aria-label="Keys">
          <dl>
            {KEYS.map(([key, text]) => (
              <div>
                <dt>
                  <kbd>{named(key)}</kbd>
                </dt>
                <dd>{text}</dd>
              </div>
            ))}
          </dl>
        </aside>
      )}
      <p class="hidden" aria-live="polite">
        {said}
      </p>
      <main>
        <List
          stats={stats}
          samples={samples}
          mode={view.m}
          chosen={chosen}
          pinned={pinned}
          by={view.by}
          choose={(key) => choose(key === chosen ? '' : key)}
          pin={pin}
          sort={(by) => set({ by })}
        />
        <section class="charts" aria-label="Charts">
          {charts.length === 0 && (
            <p class="empty">
              {samples.stats.length
                ? 'Choose a stat to see its chart; ☆ keeps it here, and in the link.'
                : 'Nothing is published yet where mmash looks.'}
            </p>
          )}
          {view.t && (
            <p class="span">
              {outOfSight
                ? 'That time is not in memory any more, or not yet; mmash --replay shows a recording of it. '
                : `From ${clock(view.t[0])} to ${clock(view.t[1])}. `}
              <button type="button" onClick={() => set({ t: null })}>
                to what is now
              </button>
            </p>
          )}
          {charts.map((stat) => (
            <article key={stat.key}>
              <h2>
                {stat.name}{' '}
                <small>
                  {stat.kind}, all processes{stat.help ? ` · ${stat.help}` : ''}
                </small>
              </h2>
              <Chart
                stat={stat}
                samples={samples}
                mode={view.m}
                window={view.w}
                span={view.t}
                beat={beat}
                theme={isDark ? 'dark' : 'light'}
              />
              <Processes
                stat={stat}
                isDrawn={view.each}
                isPaused={isPaused}
                isRate={view.m === 'rate'}
                theme={isDark ? 'dark' : 'light'}
              />
            </article>
          ))}
          <Texts wanted={(name) => wanted(name, view.s)} />
          <p class="links">
            <a class="csv" href={`./api/v1/export.csv${csvOf(view)}`} download="mmash.csv">
              CSV
            </a>{' '}
            · <a href="./stats/">stats</a> · <a href="./files/">files</a> · <a href="./metrics">metrics</a> ·{' '}
            <a href="./api/v1/openapi.json">API</a>
          </p>
        </section>
      </main>
    </>
  )
}

function csvOf(view: View): string {
  if (!view.s) return ''
  return `?select=${encodeURIComponent(view.s.includes('*') ? view.s : `*${view.s}*`)}`
}

function inOrder(samples: Samples, stats: Stat[], view: View): Stat[] {
  if (!view.by) return stats
  const sign = view.by.startsWith('-') ? -1 : 1
  if (view.by.endsWith('name')) return stats.sort((one, other) => sign * (one.name < other.name ? -1 : 1))
  const now = (stat: Stat) => {
    const line = stat.lines.get(linesOf(stat, view.m)[0] ?? '')
    return (line === undefined ? null : samples.latest(line)) ?? -Infinity
  }
  return stats.sort((one, other) => sign * (now(one) - now(other)))
}

function save(stat: Stat | undefined, say: (text: string) => void): void {
  const canvas = stat && document.querySelector<HTMLCanvasElement>(`figure[data-stat="${CSS.escape(stat.name)}"] canvas`)
  if (!canvas) {
    say('there is no chart to save')
    return
  }
  canvas.toBlob((blob) => {
    if (!blob) return
    const link = document.createElement('a')
    link.href = URL.createObjectURL(blob)
    link.download = `${stat.name.replace(/[^\w.-]+/g, '_')}.png`
    link.click()
    URL.revokeObjectURL(link.href)
    say('the chart was saved')
  })
}

async function copy(say: (text: string) => void): Promise<void> {
  try {
    await navigator.clipboard.writeText(location.href)
    say('the link was copied')
  } catch {
    say('the link stands in the address bar')
  }
}

let notify: (isSample: boolean) => void = () => undefined
document.getElementById('plain')?.remove()
render(<Page stream={new Stream((isSample) => notify(isSample))} />, document.getElementById('app')!)
