/** What stands above all: whether it is live, and what is shown how. */

import type { Ref } from 'preact'
import { HEIGHTS, type View, WINDOWS } from './address'
import { PROCESS } from './apart'
import { Choice } from './choice'

interface Props {
  view: View
  set: (part: Partial<View>) => void
  /** A word, and what there is to say of it. */
  status: [string, string]
  /** Names of tags that lines can be told apart by. */
  keys: string[]
  isPaused: boolean
  isDark: boolean
  isHelp: boolean
  filter: Ref<HTMLInputElement>
  /** Key → what it does. */
  actions: Record<string, () => void>
}

const MARKS: Record<string, string> = { live: '●', paused: '❚❚', held: '❚❚', recording: '▶' }

export function Heading({ view, set, status, keys, isPaused, isDark, isHelp, filter, actions }: Props) {
  const [word, more] = status
  const known = view.by && view.by !== PROCESS && !keys.includes(view.by) ? [...keys, view.by] : keys
  return (
    <header>
      <h1>mmash</h1>
      <p role="status" class={`status ${word}`}>
        <span aria-hidden="true">{MARKS[word] ?? '○'}</span> {word}
        {more}
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
      <Choice
        name="How long"
        value={String(view.w)}
        choices={WINDOWS.map((seconds) => [String(seconds), `${seconds / 60} min`])}
        choose={(value) => set({ w: Number(value) })}
      />
      <Choice
        name="By"
        value={view.by}
        choices={[['', 'together'], [PROCESS, 'by process'], ...known.map((key) => [key, `by ${key}`] as [string, string])]}
        choose={(by) => set({ by })}
      />
      <Choice
        name="Scale"
        value={view.y}
        choices={HEIGHTS.map((word) => [word, word])}
        choose={(y) => set({ y })}
      />
      <button type="button" aria-pressed={view.m === 'value'} onClick={actions.m}>
        {view.m === 'rate' ? 'rates' : 'totals'}
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
  )
}
