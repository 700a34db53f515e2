import type { Timeline, TimelineEvent, TimelineLane } from '../modules/timeline/timeline-service.ts'
import { builder } from './builder.ts'
import { BranchRef, ProjectRef } from './refs.ts'

const TimelineEventKindEnum = builder.enumType('TimelineEventKind', {
  values: [
    'DDL',
    'LARGE_TRANSACTION',
    'CHECKPOINT',
    'COMPUTE_START',
    'FAILOVER',
    'BRANCH_POINT',
    'SNAPSHOT',
    'RESTORE',
  ] as const,
})

const TimelineEventRef = builder.objectRef<TimelineEvent>('TimelineEvent').implement({
  description: 'Something that happened on a branch, at its place in the log.',
  fields: (t) => ({
    kind: t.field({ type: TimelineEventKindEnum, resolve: ({ kind }) => kind }),
    lsn: t.expose('lsn', { type: 'LSN' }),
    time: t.expose('time', { type: 'DateTime', nullable: true }),
    summary: t.exposeString('summary'),
    sizeBytes: t.expose('sizeBytes', { type: 'BigInt', nullable: true }),
    relatedId: t.exposeID('relatedId', { nullable: true }),
  }),
})

const TimelineLaneRef = builder.objectRef<TimelineLane>('TimelineLane').implement({
  fields: (t) => ({
    branch: t.field({ type: BranchRef, resolve: ({ branch }) => branch }),
    startLsn: t.expose('startLsn', { type: 'LSN' }),
    tipLsn: t.expose('tipLsn', { type: 'LSN' }),
    startTime: t.expose('startTime', { type: 'DateTime', nullable: true }),
    tipTime: t.expose('tipTime', { type: 'DateTime', nullable: true }),
    parentBranchId: t.exposeID('parentBranchId', { nullable: true }),
    parentLsn: t.expose('parentLsn', { type: 'LSN', nullable: true }),
    events: t.field({ type: [TimelineEventRef], resolve: ({ events }) => events }),
  }),
})

const TimelineRef = builder.objectRef<Timeline>('Timeline').implement({
  description: 'The branches of a project as lanes on the common axis of the log.',
  fields: (t) => ({
    fromLsn: t.expose('fromLsn', { type: 'LSN' }),
    toLsn: t.expose('toLsn', { type: 'LSN' }),
    fromTime: t.expose('fromTime', { type: 'DateTime', nullable: true }),
    toTime: t.expose('toTime', { type: 'DateTime', nullable: true }),
    lanes: t.field({ type: [TimelineLaneRef], resolve: ({ lanes }) => lanes }),
  }),
})

builder.objectField(ProjectRef, 'timeline', (t) =>
  t.field({
    type: TimelineRef,
    args: { from: t.arg({ type: 'LSN' }), to: t.arg({ type: 'LSN' }) },
    resolve: (project, range, context) => context.services.timelines.of(project, range),
  }),
)
