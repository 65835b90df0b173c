/** mmash's page: a list of all stats, and charts of those that one looks at. */

import 'uplot/dist/uPlot.min.css'
import './page.css'
import { render } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { HEIGHTS, MEANS, read, type View, wanted, WINDOWS, write } from './address'
import { Apart, PROCESS } from './apart'
import { Chart } from './chart'
import { release } from './gestures'
import { Heading } from './heading'
import { KEYS, named } from './keys'
import { List } from './list'
import { clock } from './numbers'
import { step } from './plot'
import { inOrder } from './order'
import { Told, useRecording } from './recording'
import { ruleOf, type Samples } from './samples'
import { copyLink, csvOf, savePicture } from './saving'
import { LIVE } from './source'
import { Stream } from './stream'
import { Texts } from './texts'

const NOTHING = document.getElementById('nothing')
const DARK = matchMedia('(prefers-color-scheme: dark)')

function Page({ stream }: { stream: Stream }) {
  const [beat, tick] = useState(0)
  const [view, change] = useState<View>(() => read(location.search))
  const [chosen, choose] = useState('')
  const [isPaused, pause] = useState(false)
  const [held, hold] = useState<number | null>(null)
  const [isHelp, help] = useState(false)
  const [said, say] = useState('')
  const [dressed, dress] = useState(() => localStorage.getItem('mmash-theme') ?? '')
  const filter = useRef<HTMLInputElement>(null)
  const paused = useRef(false)
  paused.current = isPaused || held !== null
  const chooser = useRef<HTMLInputElement>(null)
  const [shown, open, end] = useRecording()
  const recording = shown && 'samples' in shown ? shown : null
  const samples = recording?.samples ?? stream.samples

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
  const isDark = dressed ? dressed === 'dark' : DARK.matches
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light'
  useEffect(() => localStorage.setItem('mmash-theme', dressed), [dressed])

  const set = (part: Partial<View>) => change((before) => ({ ...before, ...part }))
  const pinned = useMemo(() => new Set(view.pin), [view.pin])
  const stats = inOrder(samples, samples.stats.filter((one) => wanted(one.name, view.s)), view)
  const opened = stats.find((one) => one.key === chosen)
  const charts = [
    ...samples.stats.filter((one) => pinned.has(one.name)),
    ...(opened && !pinned.has(opened.name) ? [opened] : []),
  ]
  const keys = useMemo(() => [...new Set(samples.series.flatMap((one) => Object.keys(one.tags)))].sort(), [samples.series.length, samples])
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

  const letGo = () => {
    release()
    hold(null)
  }
  const limit = (name: string, value: number | null) =>
    change((before) => {
      const line = new Map(before.line)
      if (value === null) line.delete(name)
      else line.set(name, value)
      return { ...before, line }
    })

  const actions: Record<string, () => void> = {
    '/': () => filter.current?.focus(),
    j: () => move(1),
    k: () => move(-1),
    Enter: () => choose((before) => (before ? '' : (stats[0]?.key ?? ''))),
    p: () => opened && pin(opened.name),
    m: () => change((before) => ({ ...before, m: before.m === 'rate' ? 'value' : 'rate' })),
    b: () => change((before) => ({ ...before, by: before.by ? '' : PROCESS })),
    y: () => change((before) => ({ ...before, y: HEIGHTS[(HEIGHTS.indexOf(before.y) + 1) % HEIGHTS.length]! })),
    a: () => change((before) => ({ ...before, avg: MEANS[(MEANS.indexOf(before.avg) + 1) % MEANS.length]! })),
    l: () => [...document.querySelectorAll<HTMLInputElement>('.limit input')].at(-1)?.focus(),
    o: () => chooser.current?.click(),
    ' ': () => (held === null ? pause((before) => !before) : letGo()),
    '+': () => longer(1),
    '-': () => longer(-1),
    ArrowLeft: () => say(step(-1)),
    ArrowRight: () => say(step(1)),
    t: () => change((before) => ({ ...before, t: before.t ? null : [samples.end - before.w, samples.end + 0.1] })),
    c: () => document.querySelector<HTMLAnchorElement>('a.csv')?.click(),
    i: () => savePicture(charts[charts.length - 1], say),
    s: () => void copyLink(say),
    d: () => dress(isDark ? 'light' : 'dark'),
    '?': () => help((before) => !before),
    Escape: () => (isHelp ? help(false) : held !== null ? letGo() : view.t ? set({ t: null }) : choose('')),
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

  const state = recording ? 'recording' : held !== null ? 'held' : isPaused ? 'paused' : stream.state
  const reason = held !== null ? ` at ${clock(held)}` : !recording && stream.reason ? `: ${stream.reason}` : ''
  const theme = isDark ? 'dark' : 'light'
  const extent = { mode: view.m, window: view.w, avg: view.avg, span: view.t ?? (recording && whole(samples)) }
  const look = { y: view.y, theme, beat, from: extent.span, span: (t: View['t']) => set({ t }), hold }
  return (
    <>
      <Heading
        view={view}
        set={set}
        status={[state, `${reason} · ${samples.stats.length} stats`]}
        keys={keys}
        isPaused={paused.current}
        isDark={isDark}
        isHelp={isHelp}
        filter={filter}
        actions={actions}
      />
      <Told shown={shown} end={end} />
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
          limits={view.line}
          by={view.sort}
          choose={(key) => choose(key === chosen ? '' : key)}
          pin={pin}
          sort={(sort) => set({ sort })}
        />
        <section class="charts" aria-label="Charts">
          {samples.stats.length === 0 && <Nothing />}
          {samples.stats.length > 0 && charts.length === 0 && (
            <p class="empty">Choose a stat to see its chart; ☆ keeps it here, and in the link.</p>
          )}
          {view.t && (
            <p class="span">
              {outOfSight
                ? 'That time is not in memory any more, or not yet: a recording of it can be dropped here. '
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
                  {stat.kind}, {ruleOf(stat)} of all processes{stat.help ? ` · ${stat.help}` : ''}
                </small>
              </h2>
              <Chart
                stat={stat}
                samples={samples}
                shown={extent}
                look={{ ...look, limit: view.line.get(stat.name) ?? null }}
                limit={(value) => limit(stat.name, value)}
                mean={(avg) => set({ avg })}
              />
              <Apart
                stat={stat}
                by={view.by in stat.tags ? view.by : PROCESS}
                isDrawn={view.by === PROCESS || view.by in stat.tags}
                isPaused={paused.current}
                source={recording?.source ?? LIVE}
                shown={extent}
                look={{ ...look, limit: view.line.get(stat.name) ?? null }}
              />
            </article>
          ))}
          {!recording && <Texts wanted={(name) => wanted(name, view.s)} />}
          <p class="links">
            {!recording && (
              <>
                <a class="csv" href={`./api/v1/export.csv${csvOf(view)}`} download="mmash.csv">
                  CSV
                </a>{' '}
                ·{' '}
              </>
            )}
            <label class="file">
              open a recording
              <input
                ref={chooser}
                class="hidden"
                type="file"
                accept=".jsonl,.gz"
                onChange={(event) => {
                  const file = event.currentTarget.files?.[0]
                  if (file) open(file)
                  event.currentTarget.value = ''
                }}
              />
            </label>{' '}
            · <a href="./stats/">stats</a> · <a href="./files/">files</a> · <a href="./metrics">metrics</a> ·{' '}
            <a href="./api/v1/openapi.json">API</a>
          </p>
        </section>
      </main>
    </>
  )
}

/** Where mmash looks, and how to have it look elsewhere: mmash said that, when there was nothing yet. */
function Nothing() {
  if (!NOTHING) return <p class="empty">Nothing is published any more where mmash looks.</p>
  return <div ref={(place) => place?.replaceChildren(NOTHING)} />
}

/** From its first sample to its last. */
function whole(samples: Samples): [number, number] {
  return [samples.times[0] ?? 0, samples.end + 0.1]
}

let notify: (isSample: boolean) => void = () => undefined
document.getElementById('plain')?.remove()
render(<Page stream={new Stream((isSample) => notify(isSample))} />, document.getElementById('app')!)
