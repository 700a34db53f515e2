import type { ComponentProps } from 'react'
import { classNames } from '../lib/class-names.ts'
import { controlClasses } from './input.tsx'

export function Textarea({ className, ...props }: ComponentProps<'textarea'>) {
  return <textarea className={classNames(controlClasses, 'min-h-20 px-2.5 py-2', className)} {...props} />
}
