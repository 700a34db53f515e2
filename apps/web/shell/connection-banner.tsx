'use client'

import { Spinner } from '@tributary/ui/primitives/spinner'
import { useEffect, useState } from 'react'
import { useIsConnectionLost } from '@/lib/connection-status.ts'

/** Says that the API is away while it is, and that it is back for a moment after. */
export function ConnectionBanner() {
  const isLost = useIsConnectionLost()
  const [isBack, setIsBack] = useState(false)
  const [wasLost, setWasLost] = useState(false)
  useEffect(() => {
    if (isLost) {
      setWasLost(true)
      return
    }
    if (!wasLost) return
    setWasLost(false)
    setIsBack(true)
  }, [isLost, wasLost])
  useEffect(() => {
    if (!isBack) return
    const timer = setTimeout(() => setIsBack(false), 2_500)
    return () => clearTimeout(timer)
  }, [isBack])

  return (
    <div role="status" className="pointer-events-none fixed inset-x-0 top-2 z-50 flex justify-center">
      {isLost ? (
        <div className="flex animate-surface items-center gap-2.5 rounded-full border border-caution/40 bg-caution-soft px-4 py-1.5 font-medium text-caution text-data shadow-raised">
          <Spinner className="size-3.5" /> Connection lost, retrying
        </div>
      ) : isBack ? (
        <div className="animate-surface rounded-full border border-positive/40 bg-positive-soft px-4 py-1.5 font-medium text-data text-positive shadow-raised">
          Connected again
        </div>
      ) : null}
    </div>
  )
}
