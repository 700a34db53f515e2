import { TributaryMark } from '@tributary/ui/icons/tributary-mark'
import type { ReactNode } from 'react'

/** Log-in and sign-up: the form on the left bank, the river on the right. */
export function AuthFrame({ title, children, footer }: { title: string; children: ReactNode; footer: ReactNode }) {
  return (
    <div className="grid min-h-dvh lg:grid-cols-[minmax(26rem,5fr)_7fr]">
      <main className="flex flex-col justify-between gap-10 px-6 py-8 sm:px-12 lg:px-16">
        <p className="flex items-center gap-2 font-semibold text-lead tracking-tight">
          <TributaryMark className="size-6 text-stream" /> Tributary
        </p>
        <div className="w-full max-w-sm self-center lg:self-start">
          <h1 className="mb-6 font-semibold text-h1">{title}</h1>
          {children}
          <div className="mt-6 text-body text-ink-soft">{footer}</div>
        </div>
        <p className="text-data text-ink-faint">
          Postgres that branches. One copy of the data, for rows and for analytics.
        </p>
      </main>
      <div aria-hidden="true" className="relative hidden overflow-hidden border-line border-l bg-sunken lg:block">
        <River />
      </div>
    </div>
  )
}

/** Branches leaving and joining a main stream: each line starts at a moment of another. */
function River() {
  const streams = [
    'M-20 430 H 1020',
    'M90 430 C 190 430 190 250 300 250 H 1020',
    'M300 250 C 390 250 390 130 500 130 H 1020',
    'M240 430 C 340 430 340 570 450 570 H 1020',
    'M450 570 C 530 570 530 690 640 690 H 1020',
    'M560 250 C 640 250 640 340 730 340 H 1020',
  ]
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 1000 860"
      preserveAspectRatio="xMinYMid slice"
      fill="none"
      className="absolute inset-0 size-full text-stream"
    >
      {streams.map((path, index) => (
        <g key={path} stroke="currentColor" strokeLinecap="round">
          <path d={path} strokeWidth={index === 0 ? 26 : 13} strokeOpacity={index === 0 ? 0.16 : 0.11} />
          <path
            d={path}
            strokeWidth="1.75"
            strokeOpacity="0.75"
            strokeDasharray="2 14"
            className="animate-flow"
            style={{ animationDuration: `${1.4 + index * 0.35}s` }}
          />
        </g>
      ))}
      {[
        [90, 430],
        [240, 430],
        [300, 250],
        [450, 570],
        [560, 250],
      ].map(([x, y]) => (
        <circle key={`${x}-${y}`} cx={x} cy={y} r="6" fill="var(--sunken)" stroke="currentColor" strokeWidth="2" />
      ))}
    </svg>
  )
}
