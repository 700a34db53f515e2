import { type ReactElement, type ReactNode, useId } from 'react'

/** What a control takes over from its field. */
export interface FieldControlProps {
  id: string
  'aria-describedby': string | undefined
  'aria-invalid': boolean | undefined
}

export interface FormFieldProps {
  label: ReactNode
  hint?: ReactNode
  /** What is wrong with the value and how to mend it; shown beside the control and read out. */
  error?: string | undefined
  isOptional?: boolean
  children(control: FieldControlProps): ReactElement
}

export function FormField({ label, hint, error, isOptional, children }: FormFieldProps) {
  const id = useId()
  const described = [error ? `${id}-error` : '', hint ? `${id}-hint` : ''].filter(Boolean).join(' ')
  return (
    <div className="flex min-w-0 flex-col gap-1.5">
      <label htmlFor={id} className="font-medium text-data">
        {label}
        {isOptional ? <span className="ml-1.5 font-normal text-ink-faint">optional</span> : null}
      </label>
      {children({ id, 'aria-describedby': described || undefined, 'aria-invalid': error ? true : undefined })}
      {error ? (
        <p id={`${id}-error`} role="alert" className="text-danger text-data">
          {error}
        </p>
      ) : null}
      {hint ? (
        <p id={`${id}-hint`} className="text-ink-faint text-data">
          {hint}
        </p>
      ) : null}
    </div>
  )
}
