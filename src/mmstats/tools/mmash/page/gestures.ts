/** What one does to a chart with a mouse or with fingers.
 *
 * Dragging chooses a part of the time; with shift, or with one finger, the time moves along; two fingers spread
 * it. A click holds everything where it is, another one lets go; two at once lead back to what is now.
 */

import type uPlot from 'uplot'

interface Chosen {
  look: {
    /** A part of the time was chosen; null: what is now. */
    span: (span: [number, number] | null) => void
    /** It was clicked at that time, or let go. */
    hold: (time: number | null) => void
  }
}

const LEAST = 4 // pixels that are no accident

let held = false

/** Whether somebody clicked, so that nothing moves. */
export function isHeld(): boolean {
  return held
}

export function release(): void {
  held = false
}

type Bind = (plot: uPlot, target: HTMLElement, handler: (event: MouseEvent) => null) => (event: MouseEvent) => null

/** The cursor follows the mouse, unless it is held, or the time moves. */
const unlessHeld: Bind = (_, __, handler) => (event) => (held || event.shiftKey || event.button ? null : handler(event))
export const followed = {
  mousemove: unlessHeld,
  mouseleave: unlessHeld,
  mouseenter: unlessHeld,
  mousedown: unlessHeld,
  dblclick: () => null,
} as uPlot.Cursor.Bind

/** Listen; what undoes it. */
export function gestures(plot: uPlot, now: { current: Chosen }): () => void {
  const { over } = plot
  const fingers = new Map<number, number>()
  let began: { from: number; to: number; at: number[] } | null = null
  let isMine = false
  let hasMoved = false

  const places = () => [...fingers.values()].sort((one, other) => one - other)
  const begin = () => {
    const { min, max } = plot.scales.x!
    began = { from: min!, to: max!, at: places() }
  }
  const scaled = () => {
    const at = places()
    if (!began || !at.length || at.length !== began.at.length) return
    const { from, to } = began
    const width = over.clientWidth
    const timeAt = (place: number) => from + ((to - from) * place) / width
    // Under each finger stays the time on which it was set.
    const per =
      at.length < 2
        ? (to - from) / width
        : (timeAt(began.at[1]!) - timeAt(began.at[0]!)) / Math.max(LEAST, at[1]! - at[0]!)
    const min = timeAt(began.at[0]!) - at[0]! * per
    hasMoved ||= Math.abs(at[0]! - began.at[0]!) > LEAST || at.length > 1
    if (hasMoved) plot.setScale('x', { min, max: min + per * width })
  }
  const down = (event: PointerEvent) => {
    isMine = true
    hasMoved = false
    if (event.pointerType !== 'touch' && !event.shiftKey) return
    fingers.set(event.pointerId, event.clientX - over.getBoundingClientRect().left)
    over.setPointerCapture(event.pointerId)
    begin()
  }
  const move = (event: PointerEvent) => {
    if (!fingers.has(event.pointerId)) return
    fingers.set(event.pointerId, event.clientX - over.getBoundingClientRect().left)
    scaled()
  }
  const up = (event: PointerEvent) => {
    if (!fingers.delete(event.pointerId)) return
    if (fingers.size) return begin()
    began = null
    const { min, max } = plot.scales.x!
    if (hasMoved && min != null && max != null) now.current.look.span([min, max])
  }
  const click = () => {
    if (hasMoved) return
    held = !held
    const at = plot.cursor.left ?? -1
    now.current.look.hold(held ? plot.posToVal(at, 'x') : null)
  }
  const back = () => {
    held = false
    now.current.look.hold(null)
    now.current.look.span(null)
  }
  const selected = () => {
    const { left, width } = plot.select
    if (isMine && width > LEAST) {
      now.current.look.span([plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')])
      plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
    }
    isMine = false
  }
  const listeners: [string, (event: never) => void][] = [
    ['pointerdown', down],
    ['pointermove', move],
    ['pointerup', up],
    ['pointercancel', up],
    ['click', click],
    ['dblclick', back],
  ]
  for (const [name, does] of listeners) over.addEventListener(name, does as EventListener)
  ;(plot.hooks.setSelect ??= []).push(selected)
  return () => {
    for (const [name, does] of listeners) over.removeEventListener(name, does as EventListener)
  }
}
