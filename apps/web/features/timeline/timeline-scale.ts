import { formatLsn } from '@/lib/lsn.ts'
import type { Axis } from './timeline-model.ts'

/** The part of the axis that is in sight, drawn over `widthPx` pixels. */
export interface View {
  readonly from: number
  readonly to: number
}

/** The narrowest view: one 8 KiB page of WAL, or 20 ms. */
const spanMin: Record<Axis, number> = { lsn: 8192, time: 20 }
/** A little room on both sides of everything. */
const marginShare = 0.04

export function fitView(extent: View): View {
  const margin = (extent.to - extent.from) * marginShare
  return { from: extent.from - margin, to: extent.to + margin }
}

export function toPx(view: View, widthPx: number, position: number): number {
  return ((position - view.from) / (view.to - view.from)) * widthPx
}

export function fromPx(view: View, widthPx: number, px: number): number {
  return view.from + (px / widthPx) * (view.to - view.from)
}

/** `factor` below 1 zooms in; what is under `anchorPx` stays where it is. */
export function zoomView(
  view: View,
  change: { factor: number; anchorPx: number; widthPx: number; extent: View; axis: Axis },
): View {
  const whole = fitView(change.extent)
  const spanMax = Math.max(whole.to - whole.from, spanMin[change.axis])
  const span = Math.min(spanMax, Math.max(spanMin[change.axis], (view.to - view.from) * change.factor))
  const anchor = fromPx(view, change.widthPx, change.anchorPx)
  const from = anchor - (change.anchorPx / change.widthPx) * span
  return keepInside({ from, to: from + span }, whole)
}

export function panView(view: View, deltaPx: number, widthPx: number, extent: View): View {
  const delta = (deltaPx / widthPx) * (view.to - view.from)
  return keepInside({ from: view.from + delta, to: view.to + delta }, fitView(extent))
}

function keepInside(view: View, whole: View): View {
  const span = view.to - view.from
  if (span >= whole.to - whole.from) return whole
  const from = Math.min(Math.max(view.from, whole.from), whole.to - span)
  return { from, to: from + span }
}

export interface Tick {
  readonly position: number
  readonly label: string
}

const timeStepsMs = [
  20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000,
  1_800_000, 3_600_000, 7_200_000, 14_400_000, 21_600_000, 43_200_000, 86_400_000, 172_800_000, 604_800_000,
  1_209_600_000, 2_592_000_000, 7_776_000_000, 31_536_000_000,
] as const

/** Round positions, no closer than `distancePxMin`. */
export function ticksOf(view: View, widthPx: number, axis: Axis, distancePxMin = 110): Tick[] {
  if (widthPx <= 0) return []
  const stepMin = ((view.to - view.from) / widthPx) * distancePxMin
  const step = axis === 'lsn' ? lsnStep(stepMin) : timeStep(stepMin)
  // Days begin at local midnight, not at UTC's.
  const shift = axis === 'time' && step >= 3_600_000 ? new Date(view.from).getTimezoneOffset() * 60_000 : 0
  const ticks: Tick[] = []
  for (let at = Math.ceil((view.from - shift) / step) * step + shift; at <= view.to; at += step) {
    if (at < 0) continue
    ticks.push({ position: at, label: axis === 'lsn' ? formatLsn(BigInt(Math.round(at))) : timeLabel(at, step) })
  }
  return ticks
}

/** Powers of two read well in hexadecimal. */
function lsnStep(stepMin: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(stepMin, 256)))
}

function timeStep(stepMin: number): number {
  const last = timeStepsMs[timeStepsMs.length - 1] ?? 1
  return timeStepsMs.find((step) => step >= stepMin) ?? Math.ceil(stepMin / last) * last
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const clockSeconds = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const clockMs = new Intl.DateTimeFormat('en-GB', { minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 })
const day = new Intl.DateTimeFormat('en-GB', { day: '2-digit', month: 'short' })
const month = new Intl.DateTimeFormat('en-GB', { month: 'short', year: 'numeric' })

function timeLabel(ms: number, stepMs: number): string {
  if (stepMs < 1_000) return clockMs.format(ms)
  if (stepMs < 60_000) return clockSeconds.format(ms)
  if (stepMs < 86_400_000) {
    const isMidnight = new Date(ms).getHours() === 0 && new Date(ms).getMinutes() === 0
    return isMidnight ? day.format(ms) : clock.format(ms)
  }
  return stepMs < 2_592_000_000 ? day.format(ms) : month.format(ms)
}
