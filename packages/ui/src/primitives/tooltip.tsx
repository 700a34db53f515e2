'use client'

import {
  cloneElement,
  type HTMLAttributes,
  type ReactElement,
  type ReactNode,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from 'react'
import { createPortal } from 'react-dom'
import { placeBeside, type Side } from '../lib/place-beside.ts'

/** From pointing to showing; at once right after another tooltip, as along a row of icons. */
const showAfterMs = 350
const nextAtOnceMs = 200
/** Long enough to move onto the tooltip itself and read or copy from it. */
const hideAfterMs = 120

let lastHiddenMs = 0

export interface TooltipProps {
  content: ReactNode
  /** One element that takes focus, so that the tooltip opens from the keyboard too. */
  children: ReactElement<HTMLAttributes<HTMLElement>>
  side?: Side
}

/**
 * Words on what the pointer or the keyboard's focus rests on. Nearly every number of the console has one: until it is wanted it
 * is a few handlers on its child and nothing else, and then one element in the browser's top layer.
 */
export function Tooltip({ content, children, side = 'top' }: TooltipProps) {
  const id = useId()
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const [anchor, setAnchor] = useState<Element>()
  useEffect(() => () => clearTimeout(timer.current), [])

  const hide = () => {
    clearTimeout(timer.current)
    if (anchor) lastHiddenMs = Date.now()
    setAnchor(undefined)
  }
  const soon = (act: () => void, waitMs: number) => {
    clearTimeout(timer.current)
    timer.current = setTimeout(act, waitMs)
  }
  const { props } = children
  return (
    <>
      {cloneElement(children, {
        'aria-describedby': anchor ? id : props['aria-describedby'],
        onPointerEnter: (event) => {
          props.onPointerEnter?.(event)
          const { currentTarget, pointerType } = event
          if (pointerType === 'touch') return
          soon(() => setAnchor(currentTarget), Date.now() - lastHiddenMs < nextAtOnceMs ? 0 : showAfterMs)
        },
        onPointerLeave: (event) => {
          props.onPointerLeave?.(event)
          soon(hide, hideAfterMs)
        },
        onPointerDown: (event) => {
          props.onPointerDown?.(event)
          hide()
        },
        onFocus: (event) => {
          props.onFocus?.(event)
          if (event.currentTarget.matches(':focus-visible')) setAnchor(event.currentTarget)
        },
        onBlur: (event) => {
          props.onBlur?.(event)
          hide()
        },
      })}
      {anchor ? (
        <Bubble
          id={id}
          anchor={anchor}
          side={side}
          onHide={hide}
          onPointerEnter={() => clearTimeout(timer.current)}
          onPointerLeave={() => soon(hide, hideAfterMs)}
        >
          {content}
        </Bubble>
      ) : null}
    </>
  )
}

interface BubbleProps extends HTMLAttributes<HTMLDivElement> {
  anchor: Element
  side: Side
  onHide(): void
}

function Bubble({ anchor, side, onHide, ...props }: BubbleProps) {
  const bubble = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const element = bubble.current
    if (!element) return
    element.showPopover()
    const window = { width: document.documentElement.clientWidth, height: document.documentElement.clientHeight }
    const { left, top } = placeBeside(anchor.getBoundingClientRect(), element.getBoundingClientRect(), side, window)
    element.style.left = `${left}px`
    element.style.top = `${top}px`
  }, [anchor, side])
  const hide = useRef(onHide)
  hide.current = onHide
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return
      // The dialog below closes with the next one.
      event.stopPropagation()
      hide.current()
    }
    const onScroll = () => hide.current()
    window.addEventListener('keydown', onKey, { capture: true })
    window.addEventListener('scroll', onScroll, { capture: true, passive: true })
    return () => {
      window.removeEventListener('keydown', onKey, { capture: true })
      window.removeEventListener('scroll', onScroll, { capture: true })
    }
  }, [])
  return createPortal(
    <div
      ref={bubble}
      role="tooltip"
      popover="manual"
      className="fixed inset-auto w-max max-w-80 animate-appear rounded-md bg-ink px-2 py-1 text-canvas text-label shadow-raised"
      {...props}
    />,
    document.body,
  )
}
