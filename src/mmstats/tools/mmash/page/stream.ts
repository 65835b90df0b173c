/** Samples as they come. Closed while nobody looks: a browser has but six connections to one server. */

import { type Index, type Sample, Samples } from './samples'
import { LIVE } from './source'

export type State = 'connecting' | 'live' | 'reconnecting' | 'over'

export class Stream {
  state: State = 'connecting'
  /** Why there is nothing more to come. */
  reason = ''
  readonly samples = new Samples()
  private source: EventSource | null = null
  private seen = ''

  constructor(private readonly changed: (isSample: boolean) => void) {}

  async begin(): Promise<void> {
    try {
      const history = await LIVE.history('')
      this.samples.load(history)
      if (history.last) this.seen = `${history.epoch}-${history.last}`
      this.changed(true)
    } catch {
      this.to('reconnecting')
    }
    document.addEventListener('visibilitychange', () => (document.hidden ? this.close() : this.open()))
    if (!document.hidden) this.open()
  }

  private open(): void {
    if (this.source || this.state === 'over') return
    const source = new EventSource(`./api/v1/events?since=${encodeURIComponent(this.seen)}`)
    this.source = source
    source.addEventListener('index', (event) => {
      this.samples.index(JSON.parse(event.data) as Index)
      this.to('live')
    })
    source.addEventListener('s', (event) => {
      this.seen = event.lastEventId
      this.samples.add(JSON.parse(event.data) as Sample)
      this.changed(true)
    })
    source.addEventListener('end', (event) => {
      const { reason } = JSON.parse(event.data) as { reason: string }
      if (reason === 'mmash ends') return // it may be started again
      this.reason = reason
      this.close()
      this.to('over')
    })
    source.onerror = () => {
      this.to('reconnecting')
      if (source.readyState === EventSource.CLOSED) {
        this.close()
        setTimeout(() => this.open(), 1000)
      }
    }
  }

  private close(): void {
    this.source?.close()
    this.source = null
  }

  private to(state: State): void {
    if (this.state !== state) {
      this.state = state
      this.changed(false)
    }
  }
}
